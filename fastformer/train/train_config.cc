#include "fastformer/train/train_config.h"

#include <stdexcept>

#include "fastformer/kernels/parallel.h"

namespace fastformer::train {

Measures Measures::of(const std::vector<std::string>& main, const std::string& items) {
  auto all = main;
  all.emplace_back("loss");
  return {.validation = all, .test = all, .main = main, .items = items};
}

void TrainConfig::visit_fields(base::FieldVisitor& visit, const Measures& measures) {
  auto metrics = measures.validation;
  metrics.insert(metrics.begin(), "auto");
  visit("seed", seed, "seed of the initial weights, the order of the examples, and dropout",
        base::at_least(0));
  visit("epochs", epochs,
        "passes over the training data; 0: at least 3, and up to 100 to reach 1,000 steps",
        base::between(0, 100'000));
  visit("max_steps", max_steps, "stop after this many steps; 0: no limit", base::at_least(0));
  visit(
      "max_minutes", max_minutes,
      "time limit of the steps, in minutes, without validation; with refit the first training gets "
      "half of it; the learning rate follows the time, so that the model depends on the speed of "
      "the machine; 0: no limit",
      base::at_least(0));
  visit("accumulation", accumulation, "batches per step (gradient accumulation)",
        base::between(1, 100'000));
  visit("from", from,
        "model directory whose weights, vocabulary and labels the training starts from, as "
        "train --from sets it; \"\": none");
  visit("word_vectors", word_vectors,
        "text file of GloVe or word2vec vectors to initialize the token embeddings; \"\": none",
        base::file_path());
  visit("optimizer", optimizer, "adam, or adamw with weight_decay");
  visit("learning_rate", learning_rate, "peak learning rate", base::between(0, 100));
  visit("beta1", beta1, "Adam's beta1", base::between(0, 0.999999));
  visit("beta2", beta2, "Adam's beta2", base::between(0, 0.999999));
  visit("epsilon", epsilon, "Adam's epsilon", base::between(1e-16, 1));
  visit("weight_decay", weight_decay, "decoupled weight decay of matrices (adamw)",
        base::between(0, 10));
  visit("schedule", schedule,
        "learning rate after the warm-up: constant, or falling to 0 linearly or along a cosine");
  visit("warmup_fraction", warmup_fraction,
        "fraction of the steps in which the learning rate rises to its peak", base::between(0, 1));
  visit("clip_norm", clip_norm, "gradients are clipped to this norm; 0: no clipping",
        base::at_least(0));
  visit("metric", metric,
        "validation score that selects the best model; auto: the task's first score",
        base::one_of(metrics));
  visit("evaluate_every", evaluate_every, "steps between evaluations; 0: after each epoch",
        base::at_least(0));
  visit("patience", patience, "stop after this many evaluations without improvement; 0: never",
        base::at_least(0));
  visit("checkpoint_every", checkpoint_every, "steps between checkpoints; 0: with each evaluation",
        base::at_least(0));
  visit("log_every", log_every, "steps between entries of metrics.jsonl", base::at_least(1));
  visit("threads", threads, "CPU cores to use; 0: all", base::between(0, kernels::kMostThreads));
  visit("precision", precision,
        "precision of matrix products; auto: bf16 on CPUs where it is faster");
}

void TrainConfig::validate() const {
  if (optimizer == Optimizer::kAdam && weight_decay != 0) {
    throw std::invalid_argument(
        "train.weight_decay belongs to train.optimizer = \"adamw\"; with adam it must be 0");
  }
}

}  // namespace fastformer::train
