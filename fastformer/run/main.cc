// The runtime as a program: classifiers with additive attention, without LibTorch.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "fastformer/base/config_field.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/standard_streams.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/run/answers.h"
#include "fastformer/runtime/classifier_service.h"
#include "fastformer/serve/command_line.h"

namespace {

using namespace fastformer;

void add_command(CLI::App& app, const std::string& name, const std::string& description,
                 const std::shared_ptr<run::Request>& request,
                 void (*answer)(const run::Request&)) {
  auto* command = app.add_subcommand(name, description);
  command->add_option("model", request->model, "Model directory of a classifier")->required();
  command->add_option("input", request->input, "Text file, one text per line; -: standard input")
      ->capture_default_str();
  command
      ->add_option("--threads", request->options.threads,
                   "CPU cores to use; 0: all that the process may use")
      ->check(CLI::Range(0, static_cast<int>(kernels::kMostThreads)))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--precision",
          [request](const std::string& word) {
            request->options.precision = base::parse_word<kernels::Precision>(word, "--precision");
          },
          "Precision of matrix products: fp32, bf16, or auto (bf16 on CPUs where it is faster); "
          "layers of 8 bits keep 8 bits")
      ->check(CLI::IsMember(base::words<kernels::Precision>()))
      ->default_str("fp32");
  if (name == "classify") {
    command
        ->add_option(
            "--top-k", request->top,
            "Number of classes to print per text, most probable first; ignored by a model with "
            "several labels per text, which prints every label whose probability reaches "
            "its threshold")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
        ->capture_default_str();
  }
  command->callback([request, answer] { answer(*request); });
}

serve::Model load_service(const std::filesystem::path& directory, const serve::ServedItems&) {
  // Each worker computes on its own thread.
  return std::make_shared<runtime::ClassifierService>(
      std::make_shared<runtime::Classifier>(runtime::Classifier::load(directory, {.threads = 1})));
}

void add_serve_command(CLI::App& app, serve::ServeFlags& flags) {
  auto* command = app.add_subcommand(
      "serve", "Serve classifiers over HTTP, with a page that explains predictions");
  serve::add_serve_options(*command, flags, /*with_items=*/false);
  command->callback([&flags] { serve::serve(flags, load_service); });
}

}  // namespace

// Exit codes: 0 done; 1 the input was bad or the work could not be finished; 2 wrong usage.
int main(int argc, char** argv) {
  base::open_standard_streams();
  std::ios::sync_with_stdio(false);
  CLI::App app(
      "Run text classifiers with additive attention that were trained with the program fastformer.",
      "fastformer-run");
  app.set_version_flag("--version", FASTFORMER_VERSION);
  app.require_subcommand(1);
  const auto request = std::make_shared<run::Request>();
  add_command(app, "classify", "Label and probability of each text, as tab-separated columns",
              request, run::classify);
  add_command(app, "embed", "The vector of each text, as tab-separated numbers", request,
              run::embed);
  add_command(app, "explain",
              "Prediction, attention weights and n-grams of each text, as JSON lines", request,
              run::explain);
  serve::ServeFlags serve_flags;
  add_serve_command(app, serve_flags);
  const auto fail = [](const char* message) {
    constexpr std::size_t kLongest = 4000;
    std::cerr << "fastformer-run: " << base::excerpt(message, kLongest) << '\n';
    return 1;
  };
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = error.get_exit_code() == 0;
    app.exit(error);
    return asked_for_help ? 0 : 2;
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
