#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_field.h"
#include "fastformer/data/batch_sampler.h"
#include "fastformer/tasks/classification_loss.h"
#include "fastformer/train/adam.h"

namespace fastformer::train {

/// The recipe's [train] section. A step is one change of the weights.
struct TrainConfig {
  std::int64_t seed = 1;
  std::int64_t epochs = 3;
  std::int64_t max_steps = 0;
  data::BatchConfig batch;
  std::int64_t accumulation = 1;
  std::string word_vectors;

  std::string optimizer = "adam";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  std::string schedule = "linear";
  double warmup_fraction = 0;
  double clip_norm = 0;
  tasks::LossConfig loss;

  std::string metric = "auto";
  std::int64_t evaluate_every = 0;
  std::int64_t patience = 0;
  std::int64_t checkpoint_every = 0;
  std::int64_t log_every = 50;
  std::int64_t threads = 0;
  std::string precision = "fp32";

  void visit_fields(base::FieldVisitor& visit) {
    visit("seed", seed, "of weights, order and dropout", base::at_least(0));
    visit("epochs", epochs, "times that each document is seen", base::between(1, 100'000));
    visit("max_steps", max_steps, "stop after this many steps; 0: no limit",
          base::at_least(0));
    batch.visit_fields(visit);
    visit("accumulation", accumulation, "batches a step", base::between(1, 100'000));
    visit("word_vectors", word_vectors,
          "a file of GloVe or word2vec (text) that the token embeddings start from; \"\": none");
    visit("optimizer", optimizer, "adam, or adamw with weight_decay",
          base::one_of({"adam", "adamw"}));
    visit("learning_rate", learning_rate, "peak step size", base::between(0, 100));
    visit("beta1", beta1, "decay of the mean gradient", base::between(0, 0.999999));
    visit("beta2", beta2, "decay of the mean squared gradient", base::between(0, 0.999999));
    visit("epsilon", epsilon, "added to the root of the latter", base::between(1e-16, 1));
    visit("weight_decay", weight_decay, "decoupled, of matrices (adamw)",
          base::between(0, 10));
    visit("schedule", schedule, "the learning rate after the warm-up",
          base::one_of({"constant", "linear", "cosine"}));
    visit("warmup_fraction", warmup_fraction, "share of the steps with a rising rate",
          base::between(0, 1));
    visit("clip_norm", clip_norm, "largest norm of the gradients; 0: no limit",
          base::at_least(0));
    loss.visit_fields(visit);
    visit(
        "metric", metric,
        "of the validation part, that tells which model is best; auto: the task's first",
        base::one_of({"auto", "accuracy", "macro_f1", "auc", "mrr", "ndcg_5", "ndcg_10", "loss"}));
    visit("evaluate_every", evaluate_every, "steps between evaluations; 0: each epoch",
          base::at_least(0));
    visit("patience", patience, "stop after this many evaluations without a better one; 0: no",
          base::at_least(0));
    visit("checkpoint_every", checkpoint_every,
          "steps between checkpoints; 0: with each evaluation", base::at_least(0));
    visit("log_every", log_every, "steps between entries of metrics.jsonl", base::at_least(1));
    visit("threads", threads, "processor cores to use; 0: all", base::between(0, 4096));
    visit("precision", precision,
          "of the numbers that enter products of token rows; auto: bf16 where it is faster",
          base::one_of({"fp32", "bf16", "auto"}));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  AdamConfig adam() const { return {beta1, beta2, epsilon, weight_decay}; }
};

}  // namespace fastformer::train
