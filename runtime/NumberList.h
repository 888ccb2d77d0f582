//===- runtime/NumberList.h - lists of numbers as JSON ----------*- C++ -*-===//
//
// Lists of numbers in the JSON parts of a model file are plain, or
// `{"runs": [value, count, value, count, ...]}` where that is shorter. null
// stands for a number that does not matter, NaN in memory.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_NUMBERLIST_H
#define RASP_RUNTIME_NUMBERLIST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <vector>

namespace rasp::rt {

llvm::json::Value numberToJSON(double number);
llvm::json::Value numbersToJSON(llvm::ArrayRef<double> numbers);

/// Reads a list of at most `limit` numbers; the text may be hostile.
llvm::Expected<std::vector<double>>
numbersFromJSON(const llvm::json::Value &json, size_t limit);

} // namespace rasp::rt

#endif
