//===- frontend/Source.cpp - from code points back to bytes ---------------===//

#include "frontend/Source.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;
using namespace rasp::frontend;

std::optional<Source> Source::read(unsigned bufferId, ir::Diagnostics &diags) {
  Source source;
  source.bytes = diags.sourceMgr().getMemoryBuffer(bufferId)->getBuffer();
  constexpr size_t maxSize = size_t(1) << 24;
  if (source.bytes.size() > maxSize) {
    diags.emit({}, ir::diag::TextTooLong, source.bytes.size(), maxSize);
    return std::nullopt;
  }
  source.points.reserve(source.bytes.size());
  bool ascii = llvm::isASCII(source.bytes);

  const auto *begin =
      reinterpret_cast<const llvm::UTF8 *>(source.bytes.bytes_begin());
  const auto *end =
      reinterpret_cast<const llvm::UTF8 *>(source.bytes.bytes_end());
  for (const llvm::UTF8 *at = begin; at != end;) {
    const llvm::UTF8 *start = at;
    llvm::UTF32 point = 0;
    if (llvm::convertUTF8Sequence(&at, end, &point, llvm::strictConversion) !=
        llvm::conversionOK) {
      const char *byte = source.bytes.data() + (start - begin);
      diags.emit({llvm::SMLoc::getFromPointer(byte),
                  llvm::SMLoc::getFromPointer(byte + 1)},
                 ir::diag::NotUtf8,
                 llvm::utohexstr(*start, /*LowerCase=*/true, /*Width=*/2),
                 start == begin && *start >= 0xfe
                     ? "; the program seems to be in UTF-16"
                     : "");
      return std::nullopt;
    }
    if (!ascii)
      source.offsets.push_back(start - begin);
    source.points.push_back(point);
  }
  return source;
}

llvm::SMLoc Source::location(size_t index) const {
  size_t offset = index;
  if (!offsets.empty())
    offset = index < offsets.size() ? offsets[index] : bytes.size();
  return llvm::SMLoc::getFromPointer(bytes.data() +
                                     std::min(offset, bytes.size()));
}
