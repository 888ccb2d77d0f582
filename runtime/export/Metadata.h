//===- runtime/export/Metadata.h - what a model means, as texts -*- C++ -*-===//

#ifndef RASP_RUNTIME_EXPORT_METADATA_H
#define RASP_RUNTIME_EXPORT_METADATA_H

#include "runtime/Model.h"
#include <string>
#include <utility>
#include <vector>

namespace rasp::rt {

/// Name and text of everything beside the weights that goes into every format:
/// FORMAT.md, "Other formats", lists them.
std::vector<std::pair<std::string, std::string>>
exportMetadata(const Model &model);

} // namespace rasp::rt

#endif
