// Our side of bench/peers/attention_block.py and rivals.py: a token mixer on a case that the
// script wrote, run once for each line on standard input. The metadata of the case has the fields
// of the encoder as text, such as "width" and "mixer.window".
//
//   fastformer_attention_block CASE.safetensors THREADS PRECISION
//   > forward        seconds of one pass without gradients
//   > training       seconds of one pass forward and backward
//   > result FILE    writes y, dx and the gradients of all parameters
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/nn/tensor_memory.h"

namespace {

using namespace fastformer;

class Contender {
 public:
  explicit Contender(const std::string& path) {
    auto file = nn::load_tensors(path);
    x_ = take(file.tensors, "x");
    gradient_ = take(file.tensors, "gradient");
    const auto offsets = take(file.tensors, "offsets");
    const auto* first = offsets.const_data_ptr<std::int64_t>();
    offsets_.assign(first, first + offsets.numel());
    base::ConfigTree tree;
    for (const auto& [field, value] : file.metadata) tree.set("model." + field + "=" + value);
    model::EncoderConfig config;
    tree.read_section("model", config);
    nn::ParameterStore store(1, x_.scalar_type());
    mixer_ = nn::make_mixer(config.mixer, config.mixer_shape(), store, "attention");
    parameters_ = store.parameters();
    nn::assign(parameters_, file.tensors, path);
  }

  void forward() const {
    const c10::InferenceMode inference;
    mixer_->forward(x_, nn::Offsets(offsets_), nullptr);
  }

  // A caller's gradients are dropped before each pass, as an optimizer's step would.
  nn::ParameterMap training() {
    for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
    const auto x = x_.detach().requires_grad_(true);
    const auto y = mixer_->forward(x, nn::Offsets(offsets_), nullptr);
    y.backward(gradient_);
    return {{"y", y.detach()}, {"x.grad", x.grad()}};
  }

  void write_result(const std::string& path) {
    auto result = training();
    for (const auto& [name, parameter] : parameters_) {
      if (parameter.grad().defined()) result[name + ".grad"] = parameter.grad();
    }
    nn::save_tensors(path, result);
  }

 private:
  static at::Tensor take(nn::ParameterMap& tensors, const std::string& name) {
    auto tensor = tensors.at(name);
    tensors.erase(name);
    return tensor;
  }

  at::Tensor x_, gradient_;
  std::vector<std::int64_t> offsets_;
  std::unique_ptr<nn::Mixer> mixer_;
  nn::ParameterMap parameters_;
};

template <class Body>
double seconds(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: fastformer_attention_block CASE.safetensors THREADS PRECISION\n";
    return 2;
  }
  nn::keep_freed_memory();
  try {
    const kernels::ComputeScope scope(base::parse_word<kernels::Precision>(argv[3], "PRECISION"),
                                      std::stoi(argv[2]));
    Contender contender(argv[1]);
    for (std::string command; std::cin >> command;) {
      if (command == "forward") {
        std::cout << seconds([&] { contender.forward(); }) << std::endl;
      } else if (command == "training") {
        std::cout << seconds([&] { contender.training(); }) << std::endl;
      } else {
        std::cin >> command;
        contender.write_result(command);
        std::cout << "written" << std::endl;
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "fastformer_attention_block: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
