"""What lit needs to know: suites, file endings, tools and features.

Three suites share this file; lit.site.cfg.py says which one is meant.
  rasp      this folder: FileCheck tests by stage, and whole runs in e2e/
  unit      the GoogleTest programs, one result per test case
  examples  the programs of examples/, each with its own RUN lines
"""

import os
import subprocess

import lit.formats

config.name = "rasp" if config.rasp_suite == "rasp" else "rasp-" + config.rasp_suite

if config.rasp_suite == "unit":
    # The folders that still have sources: a program whose folder is gone stays
    # in the build folder, but is no test any more.
    folders = sorted(entry.name for entry in os.scandir(config.sources_of_units))
    config.test_format = lit.formats.GoogleTest(";".join(folders), "")
    config.test_format.test_suffixes = {"rasp-unit-" + name for name in folders}
else:
    config.test_format = lit.formats.ShTest(execute_external=False)
    config.suffixes = [".rasp", ".rir", ".circuit", ".test"]
    config.excludes = ["unit", "Inputs"]

# Tests call the tools by name.
path = [config.rasp_tools_dir, config.llvm_tools_dir, config.environment["PATH"]]
config.environment["PATH"] = os.path.pathsep.join(path)
config.environment["LC_ALL"] = "C.UTF-8"
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "FILECHECK_OPTS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]


def has_modules(python, modules):
    try:
        command = [python, "-c", "import " + ", ".join(modules)]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


# The first Python with h5py and NumPy runs the tests that are written in it.
for python in (config.python, "/usr/bin/python3"):
    if has_modules(python, ["h5py", "numpy"]):
        config.python = python
        config.available_features.add("h5py")
        break

# What python/environment.sh makes, complete.
if os.path.exists(os.path.join(config.python_environment, "made-from")):
    config.available_features.add("transformer-lens")

if config.sanitize:
    config.available_features.add("sanitize")
    # LLVM's headers, compiled with sanitizers, poison memory that its library,
    # compiled without, then takes for its own.
    options = config.environment.get("ASAN_OPTIONS", "")
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0:" + options
    # LLVM's signal handlers bring their own alternate stack; at the end of a
    # thread AddressSanitizer would take it for the one that it made itself.
    options = config.environment.get("ASAN_OPTIONS", "")
    config.environment["ASAN_OPTIONS"] = "use_sigaltstack=0:" + options
if os.path.exists("/dev/full"):
    config.available_features.add("dev-full")
if os.geteuid() != 0:
    config.available_features.add("not-root")

lens_python = os.path.join(config.python_environment, "bin", "python")
test_dir = os.path.join(config.rasp_source_dir, "test")
config.substitutions += [
    # An option for scripts that have to know.
    ("%sanitized", "--sanitized" if config.sanitize else ""),
    # %programs=N random ones; sanitizers take ten times as long for each.
    (r"%programs=(\d+)0\b",
     r"--programs=\1" if config.sanitize else r"--programs=\g<1>0"),
    # %python SCRIPT
    ("%python", config.python),
    # With PyTorch, the current TransformerLens, ONNX and Matplotlib; with the last
    # TransformerLens that has HookedTransformer.
    ("%lens-python", lens_python),
    ("%hooked-python", f"env PYTHONPATH={config.python_environment}/hooked {lens_python}"),
    # %exits CODE COMMAND...: passes if COMMAND ends with exactly that code.
    ("%exits", "sh " + os.path.join(test_dir, "exits.sh")),
    ("%examples", os.path.join(config.rasp_source_dir, "examples")),
    ("%test", test_dir),
    ("%tools", config.rasp_tools_dir),
    # The shared library of runtime/rasp.h.
    ("%shlib", os.path.join(config.rasp_tools_dir, "..", "lib", "librasp.so")),
]
