//===- frontend/ErrorCategory.cpp - kinds of errors -----------------------===//

#include "frontend/ErrorCategory.h"
#include "llvm/ADT/StringSwitch.h"

using namespace rasp;

llvm::StringRef rasp::frontend::categoryOf(const ir::Diagnostic &diagnostic) {
  if (!diagnostic.category.empty())
    return diagnostic.category;
#define KIND(Name) ir::diag::Name.name
  return llvm::StringSwitch<llvm::StringRef>(diagnostic.name)
      .Case(KIND(UnknownName), "undefined-variable")
      .Case(KIND(ReservedName), "reserved-name")
      .Case(KIND(ArgumentCount), "argument-count")
      .Cases(KIND(LoadMissing), KIND(LoadCycle), "load")
      .Case(KIND(NotCallable), "not-implemented")
      .Case(KIND(ApplicationAsValue), "applied-result-is-not-a-value")
      .Cases(KIND(RecursionTooDeep), KIND(TooManySteps), KIND(ProgramTooLarge),
             KIND(NestedTooDeep), "python-recursion")
      .Cases(KIND(IndexOutOfRange), KIND(MissingKey), "rasp-value")
      .Cases(KIND(ZeroStep), KIND(NumberTooLarge), "python-value")
      .Case(KIND(NotUnpackable), "python-type")
      .Case(KIND(TooLong), "python-overflow")
      .Case(KIND(NotAValue), "illegal-value-type")
      .Cases(KIND(SelectorAsValue), KIND(ValueAsSelector), KIND(SopExpected),
             KIND(AtomExpected), KIND(IntExpected), KIND(ListExpected),
             "rasp-type")
      .Cases(KIND(NotIterable), KIND(OperandKinds), KIND(BadIndex),
             KIND(NotIndexable), KIND(UnpackCount), KIND(ZipLengths),
             "rasp-type")
      .Default("syntax");
#undef KIND
}
