//===- backend/tools/shell/Flow.h - a computation as a picture --*- C++ -*-===//
//
// What `draw` shows: an s-op on one input as a transformer would compute it.
// Each aggregate or width is a head in the layer after its operands, each
// elementwise s-op a feed-forward row; every row has one cell per position.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_SHELL_FLOW_H
#define RASP_BACKEND_TOOLS_SHELL_FLOW_H

#include "backend/tools/shell/Input.h"

namespace rasp::shell {

struct Row {
  enum Kind : uint8_t {
    Given,  ///< the input, or the position
    Me,     ///< a query
    Other,  ///< a key
    X,      ///< values that a head moves
    F,      ///< what a head gives
    Forward ///< feed-forward
  };
  Kind kind = Given;
  std::string label;
  std::vector<std::string> cells;
};

/// One selector, and what is moved along it.
struct FlowHead {
  std::string selector;                    ///< its name
  std::vector<Row> operands;               ///< queries and keys
  std::vector<std::vector<bool>> selected; ///< by query
  struct Move {
    Row values, result;
    std::string defaultValue; ///< where nothing is selected; or empty
  };
  std::vector<Move> moves;
};

struct FlowLayer {
  std::vector<FlowHead> heads;
  std::vector<Row> forward;
};

struct Flow {
  std::string title;
  std::vector<std::string> items; ///< of the input
  /// The first holds the input and feed-forward rows alone.
  std::vector<FlowLayer> layers;
};

/// `sop` has been seen to work on `input`.
Flow makeFlow(const ir::Node *sop, llvm::StringRef title, const Input &input,
              bool causal);

/// The fill of the cells of a row, and of matrix entries.
llvm::StringRef colourOf(Row::Kind kind, unsigned turn);
inline constexpr llvm::StringLiteral selectedColour = "plum",
                                     unselectedColour = "bisque";
/// `text` with what XML reserves escaped.
std::string escaped(llvm::StringRef text);

/// The picture with a layout of our own.
std::string toSVG(const Flow &flow);
/// The picture for Graphviz.
std::string toDot(const Flow &flow);

/// Draws into the folder `drawings` of the working directory, by Graphviz if
/// it is installed; returns the path.
llvm::Expected<std::string> writeDrawing(const ir::Node *sop,
                                         llvm::StringRef title,
                                         const Input &input, bool causal);

} // namespace rasp::shell

#endif
