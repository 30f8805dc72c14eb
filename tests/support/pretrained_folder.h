#pragma once

#include <gtest/gtest.h>

#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/nn/tensor_file.h"
#include "support/temporary_folder.h"

namespace fastformer::testing {

/// The folder of a small BERT with two layers, as transformers would have saved it.
class PretrainedFolder : public ::testing::Test {
 protected:
  PretrainedFolder() {
    folder_.write(
        "config.json",
        R"({"model_type": "bert", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 6, "max_position_embeddings": 5})");
    folder_.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfalls\nteam\n");
    nn::ParameterStore store(3, at::kFloat, /*deviation=*/0.5);
    const nn::BertEncoder encoder(model::BertConfig::load(folder_ / "config.json"), store, "");
    auto tensors = nn::clone(encoder.parameters());
    tensors["pooler.dense.bias"] = at::zeros({4});
    nn::save_tensors(folder_ / "model.safetensors", tensors);
  }
  TemporaryFolder folder_;
};

}  // namespace fastformer::testing
