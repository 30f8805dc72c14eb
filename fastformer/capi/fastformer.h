/* The C interface of Fastformer's runtime: text classifiers and document vectors, without LibTorch.
 *
 *   fastformer_classifier* model = fastformer_classifier_load("runs/ag_news/model", NULL);
 *   if (model == NULL) { fprintf(stderr, "%s\n", fastformer_last_error()); return 1; }
 *   const fastformer_text text = {"Oil prices fall again", 21};
 *   double probabilities[4];
 *   if (fastformer_classify(model, &text, 1, probabilities, NULL) != FASTFORMER_OK) { ... }
 *   fastformer_classifier_free(model);
 *
 * A loaded model is immutable: any number of threads may use it at the same time. No function
 * throws or ends the process. Functions that can fail return NULL or a code;
 * fastformer_last_error() then has one sentence. Texts are UTF-8; ill-formed bytes are read as
 * U+FFFD.
 *
 * Programs built with one value of FASTFORMER_ABI_VERSION run with every library that has the same.
 */
#ifndef FASTFORMER_H
#define FASTFORMER_H

#include <stddef.h>
#include <stdint.h>

#define FASTFORMER_ABI_VERSION 1

#if defined(__GNUC__)
#define FASTFORMER_API __attribute__((visibility("default")))
#else
#define FASTFORMER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The result of a call. */
enum {
  FASTFORMER_OK = 0,
  FASTFORMER_INVALID_ARGUMENT = 1, /* a file, a text or an argument is wrong */
  FASTFORMER_OUT_OF_MEMORY = 2,
  FASTFORMER_FAILED = 3 /* anything else */
};

typedef struct fastformer_classifier fastformer_classifier;

/* A text of `size` bytes, which need not end in NUL. */
typedef struct {
  const char* data;
  size_t size;
} fastformer_text;

/* Settings of a loaded model. Fill it with fastformer_options_init(), then change fields. */
typedef struct {
  size_t struct_size;       /* sizeof(fastformer_options) of the caller */
  int32_t threads;          /* CPU cores to use; 0: all that the process may use */
  int64_t max_batch_tokens; /* size of the batches of one call, in tokens */
} fastformer_options;

/* "0.1.0", and the FASTFORMER_ABI_VERSION of the library. */
FASTFORMER_API const char* fastformer_version(void);
FASTFORMER_API int fastformer_abi_version(void);

/* What failed in the last failed call of the calling thread: one sentence, never NULL. Valid until
 * that thread's next failed call. */
FASTFORMER_API const char* fastformer_last_error(void);

FASTFORMER_API void fastformer_options_init(fastformer_options* options);

/* Loads a model directory; NULL if it is missing, damaged, of another kind or version, or needs
 * LibTorch. `options` may be NULL. The files are mapped into memory: replace a model directory as a
 * whole, and do not overwrite its files in place. */
FASTFORMER_API fastformer_classifier* fastformer_classifier_load(const char* directory,
                                                                 const fastformer_options* options);
/* NULL is allowed. */
FASTFORMER_API void fastformer_classifier_free(fastformer_classifier* classifier);

/* The labels, in the order of probabilities. The names end in NUL and belong to the classifier;
 * NULL for an index out of range. */
FASTFORMER_API size_t fastformer_classifier_label_count(const fastformer_classifier* classifier);
FASTFORMER_API const char* fastformer_classifier_label(const fastformer_classifier* classifier,
                                                       size_t index);
/* 1 if a text has any number of labels, 0 if it has one class. */
FASTFORMER_API int fastformer_classifier_multi_label(const fastformer_classifier* classifier);
/* The number of elements of a document's vector. */
FASTFORMER_API size_t fastformer_classifier_width(const fastformer_classifier* classifier);

/* probabilities [count, labels]. `predicted` [count, labels] gets 1 for the predicted class, or for
 * each predicted label, and 0 for the others; it may be NULL. */
FASTFORMER_API int fastformer_classify(const fastformer_classifier* classifier,
                                       const fastformer_text* texts, size_t count,
                                       double* probabilities, uint8_t* predicted);

/* vectors [count, width]. */
FASTFORMER_API int fastformer_embed(const fastformer_classifier* classifier,
                                    const fastformer_text* texts, size_t count, float* vectors);

/* The prediction for one text with its tokens' weights and the n-grams' contributions, as JSON:
 *   {"label", "probabilities": {label: number}, "tokens": [{"token", "pooling",
 *    "layers": [{"query", "key"}]}], "ngrams": [{"ngram", "added"}]}
 * With several labels per text: "labels": [label] instead of "label", and "ngrams": {label: [...]}.
 * Free it with fastformer_string_free(). */
FASTFORMER_API int fastformer_explain(const fastformer_classifier* classifier, fastformer_text text,
                                      char** json);
/* NULL is allowed. */
FASTFORMER_API void fastformer_string_free(char* text);

#ifdef __cplusplus
}
#endif

#endif
