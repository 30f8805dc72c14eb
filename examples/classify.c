/* Classifies lines of the standard input with the C interface of the runtime.
 *
 *   cc classify.c $(pkg-config --cflags --libs fastformer) -o classify
 *   ./classify runs/ag_news/model < headlines.txt
 */
#include <fastformer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: classify MODEL < texts\n");
    return 2;
  }
  fastformer_classifier* model = fastformer_classifier_load(argv[1], NULL);
  if (model == NULL) {
    fprintf(stderr, "classify: %s\n", fastformer_last_error());
    return 1;
  }
  const size_t labels = fastformer_classifier_label_count(model);
  double* probabilities = malloc(labels * sizeof *probabilities);
  char line[65536];
  int code = probabilities == NULL ? FASTFORMER_OUT_OF_MEMORY : FASTFORMER_OK;
  while (code == FASTFORMER_OK && fgets(line, sizeof line, stdin) != NULL) {
    const fastformer_text text = {line, strcspn(line, "\n")};
    code = fastformer_classify(model, &text, 1, probabilities, NULL);
    if (code != FASTFORMER_OK) break;
    size_t best = 0;
    for (size_t i = 1; i < labels; ++i) {
      if (probabilities[i] > probabilities[best]) best = i;
    }
    printf("%s\t%.4f\n", fastformer_classifier_label(model, best), probabilities[best]);
  }
  if (code != FASTFORMER_OK) fprintf(stderr, "classify: %s\n", fastformer_last_error());
  free(probabilities);
  fastformer_classifier_free(model);
  return code == FASTFORMER_OK ? 0 : 1;
}
