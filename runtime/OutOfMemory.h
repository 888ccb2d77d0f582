//===- runtime/OutOfMemory.h - who is told that memory is used up -*- C++
//-*-===//

#ifndef RASP_RUNTIME_OUTOFMEMORY_H
#define RASP_RUNTIME_OUTOFMEMORY_H

#include <atomic>

namespace rasp::rt {

/// Called when a library reports that it could not allocate; does not return.
/// Null in processes that set themselves no limit: there it is more likely that
/// a file is damaged and names a size that nobody has.
inline std::atomic<void (*)()> outOfMemoryHandler = nullptr;

} // namespace rasp::rt

#endif
