//===- Programs.h - programs to test the frontend with ----------*- C++ -*-===//

#ifndef RASP_TEST_UNIT_FRONTEND_PROGRAMS_H
#define RASP_TEST_UNIT_FRONTEND_PROGRAMS_H

#include <string>
#include <vector>

/// The examples and every program of the corpus, wrong ones included, each
/// once.
std::vector<std::string> allPrograms();

#endif
