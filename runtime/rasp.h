/*===- runtime/rasp.h - compiled models from C and other languages
---------===*\
|*
|* Loads model files, runs them, shows and changes activations. Link with
|* librasp.so; this header is all that is needed beside it.
|*
|* Functions that can fail return NULL, 0 or RASP_FAILED, and rasp_error() says
|* why. Texts are UTF-8. What a function returns belongs to its first argument
|* and lives as long, unless it says otherwise. A model never changes: threads
|* may share it.
|*
\*===----------------------------------------------------------------------===*/

#ifndef RASP_RUNTIME_RASP_H
#define RASP_RUNTIME_RASP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RASP_API __attribute__((visibility("default")))

typedef struct rasp_model rasp_model;
typedef struct rasp_run rasp_run;

enum { RASP_OK = 0, RASP_FAILED = -1 };

typedef enum rasp_dtype { RASP_FLOAT32 = 0, RASP_FLOAT64 = 1 } rasp_dtype;

/** "0.1.0" */
RASP_API const char *rasp_version(void);

/** Why the last call of this thread that failed did so. */
RASP_API const char *rasp_error(void);

/*===-- Models
 * -------------------------------------------------------------===*/

/** Reads a model file. To be freed by rasp_model_free. */
RASP_API rasp_model *rasp_model_load(const char *path);
RASP_API void rasp_model_free(rasp_model *model);

/** A text about the model. `part` is one of
 *    "config"        arguments of TransformerLens' configuration, an object
 *    "input_vocab", "output_vocab", "residual", "circuit", "ir", "options",
 *    "certificate"   JSON, as FORMAT.md specifies them; null if there is none
 *    "labels"        names of the residual directions, a list (FORMAT.md)
 *    "hooks"         names of the hook points, a list
 *    "program"       the program's source, which is no JSON */
RASP_API const char *rasp_model_text(const rasp_model *model, const char *part);

/** In what the model computes, and the type of its activations and logits. */
RASP_API rasp_dtype rasp_model_dtype(const rasp_model *model);
/** Logits per position. */
RASP_API size_t rasp_model_outputs(const rasp_model *model);
/** Most tokens of an input, BOS counted. */
RASP_API size_t rasp_model_max_length(const rasp_model *model);
/** Whether the weights or the program were edited after the file was written:
 *  1 or 0. */
RASP_API int rasp_model_is_edited(const rasp_model *model);

/*===-- Many inputs of one length, as arrays
 * -------------------------------===*/

/** Ids of an input, BOS first: a string of one-character tokens ("hello") or a
 *  JSON list. Returns their number, of which at most `capacity` are written. */
RASP_API size_t rasp_encode(const rasp_model *model, const char *input,
                            uint32_t *ids, size_t capacity);

/** Runs `count` inputs of `length` ids each, [count, length], and writes their
 *  logits, [count, length, outputs], in the model's type. */
RASP_API int rasp_forward(const rasp_model *model, const uint32_t *ids,
                          size_t count, size_t length, void *logits);

/** The output that the logits of one input mean, [length, outputs]: a JSON list
 *  without the position of BOS. To be freed by rasp_text_free. */
RASP_API char *rasp_decode(const rasp_model *model, const void *logits,
                           size_t length);
RASP_API void rasp_text_free(char *text);

/*===-- Runs with activations and interventions
 * ----------------------------===*/

/** Runs inputs of any lengths, each as if it were alone.
 *
 *  `inputs`         a JSON list; an input is a string or a list of tokens
 *  `hooks`          which activations to keep: names and patterns with commas
 *                   between them (TRACE.md), "" for all, NULL for none
 *  `interventions`  what to change, the JSON of INTERVENTIONS.md, or NULL
 *
 *  An input that the model cannot take fails by itself, see rasp_run_answers.
 *  To be freed by rasp_run_free; the model must live as long. */
RASP_API rasp_run *rasp_run_inputs(const rasp_model *model, const char *inputs,
                                   const char *hooks,
                                   const char *interventions);
RASP_API void rasp_run_free(rasp_run *run);

/** A JSON list with {"input": [...], "output": [...]} or {"error": "..."} for
 *  each input. */
RASP_API const char *rasp_run_answers(const rasp_run *run);

/** An activation, dense and row major. */
typedef struct rasp_tensor {
  const void *data;
  rasp_dtype dtype;
  size_t rank; /**< at most 3 */
  size_t shape[3];
} rasp_tensor;

/** The activation of a hook point, by full or short name, for input number
 *  `input`: in TransformerLens' shape without the axis of the batch. */
RASP_API int rasp_run_activation(const rasp_run *run, size_t input,
                                 const char *hook, rasp_tensor *tensor);

/** The logits of an input, [length, outputs]. */
RASP_API int rasp_run_logits(const rasp_run *run, size_t input,
                             rasp_tensor *tensor);

#ifdef __cplusplus
}
#endif

#endif
