/* attention MODEL.h5 INPUT [INTERVENTIONS]: what a compiled model answers, and
 * where its heads look; with the interventions of a JSON text, if there is one.
 *
 *   cc -I. examples/c/attention.c -Lbuild/lib -lrasp -o attention
 *   LD_LIBRARY_PATH=build/lib ./attention reverse.h5 '"hello"'
 */

#include "runtime/rasp.h"

#include <stdio.h>
#include <stdlib.h>

static int fail(void) {
  fprintf(stderr, "attention: %s\n", rasp_error());
  return EXIT_FAILURE;
}

/* Prints [head, query, key], as numbers from 0 to 9 and `.` for nothing. */
static void print_pattern(const rasp_tensor *pattern) {
  const float *weight = pattern->data;
  for (size_t head = 0; head < pattern->shape[0]; ++head) {
    printf("head %zu\n", head);
    for (size_t query = 0; query < pattern->shape[1]; ++query) {
      for (size_t key = 0; key < pattern->shape[2]; ++key, ++weight)
        printf(" %c", *weight == 0 ? '.' : '0' + (int)(*weight * 9));
      printf("\n");
    }
  }
}

static int show(const rasp_model *model, const rasp_run *run) {
  char hook[64];
  rasp_tensor pattern;
  printf("%s\n", rasp_run_answers(run));
  if (rasp_model_dtype(model) != RASP_FLOAT32) {
    fprintf(stderr, "attention: expected a model of float32\n");
    return EXIT_FAILURE;
  }
  for (int layer = 0;; ++layer) {
    snprintf(hook, sizeof(hook), "blocks.%d.attn.hook_pattern", layer);
    if (rasp_run_activation(run, 0, hook, &pattern) != RASP_OK)
      return layer ? EXIT_SUCCESS : fail();
    printf("%s [%zu, %zu, %zu]\n", hook, pattern.shape[0], pattern.shape[1],
           pattern.shape[2]);
    print_pattern(&pattern);
  }
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: %s MODEL.h5 INPUT [INTERVENTIONS]\n", argv[0]);
    return EXIT_FAILURE;
  }
  rasp_model *model = rasp_model_load(argv[1]);
  if (!model)
    return fail();
  char inputs[1024];
  snprintf(inputs, sizeof(inputs), "[%s]", argv[2]);
  rasp_run *run = rasp_run_inputs(model, inputs, "blocks.*.attn.hook_pattern",
                                  argc > 3 ? argv[3] : NULL);
  int status = run ? show(model, run) : fail();
  rasp_run_free(run);
  rasp_model_free(model);
  return status;
}
