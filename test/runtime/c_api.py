"""c_api.py LIBRASP.so MODEL.h5: calls every function of runtime/rasp.h
and compares what it gives with the model file."""

import ctypes
import json
import sys
import threading
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_void_p

import h5py
import numpy as np


class Tensor(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("dtype", c_int), ("rank", c_size_t),
                ("shape", c_size_t * 3)]

    def array(self):
        kind = (np.float32, np.float64)[self.dtype]
        shape = tuple(self.shape[:self.rank])
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        return np.frombuffer(ctypes.string_at(self.data, size), kind).reshape(shape)


FUNCTIONS = {
    "rasp_version": (c_char_p,),
    "rasp_error": (c_char_p,),
    "rasp_model_load": (c_void_p, c_char_p),
    "rasp_model_free": (None, c_void_p),
    "rasp_model_text": (c_char_p, c_void_p, c_char_p),
    "rasp_model_dtype": (c_int, c_void_p),
    "rasp_model_outputs": (c_size_t, c_void_p),
    "rasp_model_max_length": (c_size_t, c_void_p),
    "rasp_model_is_edited": (c_int, c_void_p),
    "rasp_encode": (c_size_t, c_void_p, c_char_p, POINTER(c_uint32), c_size_t),
    "rasp_forward": (c_int, c_void_p, POINTER(c_uint32), c_size_t, c_size_t,
                     c_void_p),
    "rasp_decode": (c_void_p, c_void_p, c_void_p, c_size_t),
    "rasp_text_free": (None, c_void_p),
    "rasp_run_inputs": (c_void_p, c_void_p, c_char_p, c_char_p, c_char_p),
    "rasp_run_free": (None, c_void_p),
    "rasp_run_answers": (c_char_p, c_void_p),
    "rasp_run_activation": (c_int, c_void_p, c_size_t, c_char_p, POINTER(Tensor)),
    "rasp_run_logits": (c_int, c_void_p, c_size_t, POINTER(Tensor)),
}


def load_library(path):
    library = ctypes.CDLL(path)
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def fails(library, result, *words):
    """Whether a call failed, with these words in the message."""
    message = library.rasp_error().decode()
    assert result in (None, 0, -1), result
    assert all(word in message for word in words), message


def check_texts(library, model, file):
    def text(part):
        return library.rasp_model_text(model, part.encode()).decode()

    assert json.loads(text("config")) == json.loads(file.attrs["tl_config"])
    assert json.loads(text("labels")) == list(file["residual/labels"].asstr())
    assert text("program") == file["program/rasp"].asstr()[()]
    for part, place in (("input_vocab", "vocab/input/json"),
                        ("output_vocab", "vocab/output/json"),
                        ("residual", "residual/json"),
                        ("circuit", "circuit/json"),
                        ("ir", "program/ir_json"),
                        ("options", "program/options_json"),
                        ("certificate", "certificate/json")):
        assert json.loads(text(part)) == json.loads(file[place].asstr()[()]), part
    assert "blocks.0.hook_resid_pre" in json.loads(text("hooks"))
    fails(library, library.rasp_model_text(model, b"nothing"), "nothing", "labels")


def check_arrays(library, model, file):
    """The examples of the file, by length."""
    outputs = library.rasp_model_outputs(model)
    kind = (np.float32, np.float64)[library.rasp_model_dtype(model)]
    lengths, logits = file["examples/length"][()], file["examples/logits"]
    for length in sorted(set(lengths)):
        chosen = np.flatnonzero(lengths == length)
        ids = np.ascontiguousarray(file["examples/tokens"][()][chosen, :length],
                                   np.uint32)
        result = np.empty((len(chosen), length, outputs), kind)
        status = library.rasp_forward(
            model, ids.ctypes.data_as(POINTER(c_uint32)), len(chosen), length,
            result.ctypes.data)
        assert status == 0, library.rasp_error()
        assert np.array_equal(result, logits[chosen, :length])
    ids = np.full(3, 10 ** 6, np.uint32)
    pointer = ids.ctypes.data_as(POINTER(c_uint32))
    fails(library, library.rasp_forward(model, pointer, 1, 3, None), "1000000")
    fails(library, library.rasp_forward(model, pointer, 1, 0, None), "0 ids")
    longest = library.rasp_model_max_length(model)
    assert longest == json.loads(file.attrs["tl_config"])["n_ctx"]
    fails(library, library.rasp_forward(model, pointer, 1, longest + 1, None),
          f"{longest + 1} ids")


def check_reverse(library, model):
    ids = (c_uint32 * 10)()
    assert library.rasp_encode(model, b"abca", ids, 10) == 5
    assert library.rasp_encode(model, b'["a","b","c","a"]', ids, 2) == 5
    fails(library, library.rasp_encode(model, b"axa", ids, 10), '"x"')

    run = library.rasp_run_inputs(model, b'["abca", ["b"], "x", "cab"]', b"", None)
    assert run, library.rasp_error()
    answers = json.loads(library.rasp_run_answers(run))
    assert [answer.get("output") for answer in answers] == [
        list("acba"), ["b"], None, list("bac")]
    assert '"x"' in answers[2]["error"]
    tensor = Tensor()
    for i, length in (0, 5), (1, 2), (3, 4):
        for hook in json.loads(library.rasp_model_text(model, b"hooks")):
            status = library.rasp_run_activation(run, i, hook.encode(), tensor)
            assert status == 0, library.rasp_error()
            assert length in tensor.array().shape
        library.rasp_run_activation(run, i, b"pattern1", tensor)
        assert tensor.array().shape == (1, length, length)
        assert np.array_equal(tensor.array()[0, 1:, 1:], np.eye(length - 1)[::-1])
        assert library.rasp_run_logits(run, i, tensor) == 0
        logits = np.ascontiguousarray(tensor.array())
        text = library.rasp_decode(model, logits.ctypes.data, length)
        assert json.loads(ctypes.string_at(text)) == answers[i]["output"]
        library.rasp_text_free(text)
    fails(library, library.rasp_run_activation(run, 2, b"pattern1", tensor), "refused")
    fails(library, library.rasp_run_activation(run, 4, b"pattern1", tensor), "below 4")
    fails(library, library.rasp_run_activation(run, 0, b"pattren1", tensor), "pattern")
    library.rasp_run_free(run)

    run = library.rasp_run_inputs(model, b'["abc"]', None,
                                  b'{"interventions": ["L1H0"]}')
    assert json.loads(library.rasp_run_answers(run))[0]["output"] != list("cba")
    fails(library, library.rasp_run_activation(run, 0, b"k0", tensor), "did not keep")
    library.rasp_run_free(run)
    fails(library, library.rasp_run_inputs(model, b"abc", None, None), "list")
    fails(library, library.rasp_run_inputs(model, b"[]", b"hook_x", None), "hook_x")
    fails(library, library.rasp_run_inputs(model, b"[]", None, b"{}"), "interventions")


def check_threads(library, model):
    """Threads share a model and have errors of their own."""
    wrong = []

    def work(number):
        word = "abc"[number % 3] * (1 + number % 5)
        for _ in range(50):
            run = library.rasp_run_inputs(model, json.dumps([word]).encode(),
                                          b"resid_post0", None)
            answer = json.loads(library.rasp_run_answers(run))[0]
            library.rasp_run_free(run)
            library.rasp_run_inputs(model, b"[]", b"hook_%d" % number, None)
            if (answer["output"] != list(word)
                    or b"hook_%d" % number not in library.rasp_error()):
                wrong.append((number, answer, library.rasp_error()))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong


def main(path, model_path):
    library = load_library(path)
    assert library.rasp_version().count(b".") == 2
    fails(library, library.rasp_model_load(b"/no/such.h5"), "/no/such.h5")
    model = library.rasp_model_load(model_path.encode())
    assert model, library.rasp_error()
    assert library.rasp_model_is_edited(model) == 0
    with h5py.File(model_path) as file:
        check_texts(library, model, file)
        check_arrays(library, model, file)
    check_reverse(library, model)
    check_threads(library, model)
    library.rasp_model_free(model)
    print("every function")


if __name__ == "__main__":
    main(*sys.argv[1:3])
