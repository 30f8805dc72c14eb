#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/standard_streams.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/kernels/simd_level.h"
#include "fastformer/nn/tensor_memory.h"

namespace {

// Throws CLI::ExtrasError for a first word that is no command, with the nearest one.
void check_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return;
  throw CLI::ExtrasError("unknown command '" + fastformer::base::excerpt(argv[1]) + "'" +
                             fastformer::base::suggestion(argv[1], names),
                         CLI::ExitCodes::ExtrasError);
}

// One line, whatever files and libraries put into it.
void print_error(std::string_view message) {
  constexpr std::size_t kLongest = 4000;
  std::cerr << "fastformer: " << fastformer::base::excerpt(message, kLongest) << '\n';
}

}  // namespace

// Exit codes: 0 done; 1 the input was bad or the work could not be finished; 2 wrong usage.
int main(int argc, char** argv) {
  using namespace fastformer;
  base::open_standard_streams();
  const cli::TerminalOutput terminal;
  nn::keep_freed_memory();
  CLI::App app(
      "Trains, evaluates and runs text classifiers, recommenders and summarizers in time that "
      "grows linearly with the text length (Fastformer, arXiv 2108.09084).",
      "fastformer");
  app.set_version_flag("--version", FASTFORMER_VERSION);
  app.require_subcommand(1);
  app.fallthrough(false);
  cli::add_train_command(app);
  cli::add_autotune_command(app);
  cli::add_experiment_command(app);
  cli::add_evaluate_command(app);
  cli::add_predict_command(app);
  cli::add_recommend_command(app);
  cli::add_summarize_command(app);
  cli::add_embed_command(app);
  cli::add_neighbors_command(app);
  cli::add_serve_command(app);
  cli::add_inspect_command(app);
  cli::add_tokenize_command(app);
  cli::add_efficiency_command(app);
  cli::add_quantize_command(app);
  cli::add_convert_command(app);
  cli::add_export_command(app);
  cli::add_rouge_command(app);
  cli::add_fields_command(app);
  cli::add_completions_command(app);
  try {
    if (const char* level = std::getenv("FASTFORMER_SIMD")) kernels::set_simd_level(level);
    check_command(app, argc, argv);
    app.parse(argc, argv);
    if (!std::cout.flush()) {
      throw std::runtime_error("standard output: cannot be written; check the free space");
    }
    return 0;
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = error.get_exit_code() == 0;
    app.exit(error);
    return asked_for_help ? 0 : 2;
  } catch (const cli::Stopped& stopped) {
    print_error(stopped.what());
  } catch (const c10::Error& error) {
    print_error(error.what_without_backtrace());
  } catch (const base::OutOfMemory& error) {
    print_error(error.what());
  } catch (const std::bad_alloc&) {
    print_error(base::OutOfMemory(base::format("'%s' with these files", argv[1])).what());
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return 1;
}
