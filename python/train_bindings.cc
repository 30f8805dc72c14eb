// The module fastformer_train._train: training, recommenders and summarizers, on LibTorch.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "classifier_bindings.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/classification/autotune.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/summarization/extractive/extractive_service.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"
#include "fastformer/summarization/summarizer.h"
#include "fastformer/tasks/task_table.h"
#include "fastformer/train/training_run.h"

namespace nb = nanobind;

namespace {

using namespace fastformer;
using python::array_of;
using Texts = std::vector<std::string>;

nb::dict dict_of(const classification::Trial& trial) {
  nb::dict values;
  values["candidate"] = trial.candidate;
  values["settings"] = trial.assignments;
  values["steps"] = trial.steps;
  values["seconds"] = trial.seconds;
  values["score"] = trial.score;
  values["loss"] = trial.loss;
  return values;
}

// Set when the interpreter is about to end: a thread that waits for the GIL then never gets it.
std::atomic<bool> stop_requested = false;

// Passes reports to a Python function, which gets the name of an event and a dictionary. Training
// runs without the GIL, and stops as soon as the function or a signal has raised an exception.
class PythonObserver final : public train::Observer {
 public:
  explicit PythonObserver(nb::object callback) : callback_(std::move(callback)) {}

  void on_step(const train::StepReport& report) override {
    // A step can take less than a millisecond.
    const auto now = std::chrono::steady_clock::now();
    if (report.step < report.total_steps && now < next_step_) return;
    next_step_ = now + std::chrono::milliseconds(100);
    call("step", [&](nb::dict& values) {
      values["step"] = report.step;
      values["total_steps"] = report.total_steps;
      values["epoch"] = report.epoch;
      values["epochs"] = report.epochs;
      values["loss"] = report.loss;
      values["learning_rate"] = report.learning_rate;
    });
  }
  void on_validation(const train::ValidationReport& report) override {
    call("validation", [&](nb::dict& values) {
      values["step"] = report.step;
      values["epoch"] = report.epoch;
      values["best"] = report.best;
      for (const auto& [name, value] : report.scores) values[name.c_str()] = value;
    });
  }
  void on_notice(const std::string& notice) override {
    call("notice", [&](nb::dict& values) { values["text"] = notice; });
  }
  void on_trial(const classification::Trial& trial) {
    call("trial", [&](nb::dict& values) { values = dict_of(trial); });
  }

  bool stop() {
    if (stop_requested) return true;
    const auto now = std::chrono::steady_clock::now();
    if (error_ == nullptr && now >= next_signal_) {
      next_signal_ = now + std::chrono::milliseconds(100);
      const nb::gil_scoped_acquire acquired;
      if (PyErr_CheckSignals() != 0) remember();
    }
    return error_ != nullptr;
  }
  // With the GIL.
  void rethrow() {
    if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  template <class Fill>
  void call(const char* event, const Fill& fill) {
    if (callback_.is_none() || error_ != nullptr) return;
    const nb::gil_scoped_acquire acquired;
    try {
      nb::dict values;
      fill(values);
      callback_(event, values);
    } catch (const nb::python_error&) {
      error_ = std::current_exception();
    }
  }
  void remember() {
    try {
      nb::raise_python_error();
    } catch (const nb::python_error&) {
      error_ = std::current_exception();
    }
  }

  nb::object callback_;
  std::exception_ptr error_;
  std::chrono::steady_clock::time_point next_step_, next_signal_;
};

// Runs `action` without the GIL.
template <class Action>
auto released(const Action& action) {
  const nb::gil_scoped_release gil;
  return nn::without_torch_errors(action);
}

template <class Model>
Model load(const std::string& path, int threads, std::int64_t max_batch_tokens) {
  return released([&] {
    return Model::load(path, {.threads = threads, .max_batch_tokens = max_batch_tokens});
  });
}

// `file`: a recipe; nullopt: `json`, a JSON object of its sections.
void train_recipe(const std::optional<std::string>& file, const std::string& json,
                  const Texts& assignments, const std::string& folder, bool resume,
                  nb::object callback) {
  PythonObserver observer(std::move(callback));
  bool finished = false;
  released([&] {
    auto tree =
        file ? base::ConfigTree::from_toml(*file) : base::ConfigTree::from_json(json, "the recipe");
    for (const auto& assignment : assignments) tree.set(assignment);
    const auto read = tasks::read_recipe(tree);
    const auto notice = [&](const std::string& text) { observer.on_notice(text); };
    train::TrainingRun run(*read, folder, {.resume = resume, .notice = notice});
    finished = run.train({&observer}, [&] { return observer.stop(); });
    if (finished) run.finish();
  });
  observer.rethrow();
  if (!finished)
    throw std::runtime_error("the training was stopped; all work is saved in " + folder);
}

// `data`: the text of a JSON object with the fields of [data]. Returns the best trial.
nb::dict autotune(const std::string& data, const Texts& assignments, const std::string& folder,
                  double seconds, std::int64_t most_bytes, nb::object callback) {
  PythonObserver observer(std::move(callback));
  const auto tuned = released([&] {
    classification::DataConfig config;
    base::ConfigTree::from_json(data, "data").read_section("data", config);
    return classification::autotune(
        config, folder,
        {.seconds = seconds,
         .most_bytes = most_bytes,
         .assignments = assignments,
         .stop = [&] { return observer.stop(); },
         .report = [&](const classification::Trial& trial) { observer.on_trial(trial); },
         .notice = [&](const std::string& text) { observer.on_notice(text); }});
  });
  observer.rethrow();
  auto result = dict_of(tuned.best);
  if (!tuned.table.empty()) result["test"] = tuned.table;
  return result;
}

nb::dict dict_of(const Recommendations& found) {
  nb::list items;
  for (const auto& item : found.items) {
    nb::dict one;
    one["id"] = item.id;
    one["title"] = item.title;
    one["score"] = item.score;
    nb::list reasons;
    for (const auto& reason : item.reasons) {
      nb::dict added;
      added["id"] = reason.id;
      added["title"] = reason.title;
      added["added"] = reason.added;
      reasons.append(added);
    }
    one["reasons"] = reasons;
    items.append(one);
  }
  nb::dict result;
  result["items"] = items;
  result["unknown"] = found.unknown;
  result["unknown_candidates"] = found.unknown_candidates;
  result["cold"] = found.cold;
  return result;
}

void bind_recommender(nb::module_& module) {
  nb::class_<Catalogue>(module, "Catalogue").def("__len__", &Catalogue::size);
  nb::class_<Recommender>(module, "Recommender")
      .def_static("load", load<Recommender>)
      .def("read_catalogue",
           [](const Recommender& self, const std::string& items, const std::string& index,
              bool approximate) {
             return released([&] {
               return self.catalogue(items, {.index = index, .approximate = approximate});
             });
           })
      .def("catalogue",
           [](const Recommender& self, const Texts& ids, const Texts& titles,
              const Texts& categories, bool approximate) {
             return released([&] {
               std::vector<recommendation::Item> items;
               for (std::size_t i = 0; i < ids.size(); ++i) {
                 items.push_back({ids[i], titles[i], categories[i]});
               }
               return self.catalogue(items, {.approximate = approximate});
             });
           })
      .def(
          "recommend",
          [](const Recommender& self, const Catalogue& catalogue,
             const std::vector<Texts>& histories,
             const std::vector<std::optional<Texts>>& candidates, std::size_t top,
             std::optional<bool> exclude_seen, bool explain, double diversity) {
            const auto found = released([&] {
              std::vector<UserRequest> requests;
              for (std::size_t i = 0; i < histories.size(); ++i) {
                requests.push_back({"", histories[i], candidates[i]});
              }
              return self.recommend(catalogue, requests,
                                    {.top = top,
                                     .exclude_seen = exclude_seen,
                                     .explain = explain,
                                     .diversity = diversity});
            });
            nb::list result;
            for (const auto& one : found) result.append(dict_of(one));
            return result;
          },
          nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg())
      .def("embed",
           [](const Recommender& self, const Texts& titles) {
             auto vectors = released([&] { return self.embed(titles); });
             return array_of(std::move(vectors.values), vectors.width);
           })
      .def("embed_users", [](const Recommender& self, const Catalogue& catalogue,
                             const std::vector<Texts>& histories) {
        auto vectors = released([&] { return self.embed_users(catalogue, histories); });
        return array_of(std::move(vectors.values), vectors.width);
      });
}

void bind_summarizer(nb::module_& module) {
  nb::class_<Summarizer>(module, "Summarizer")
      .def_static("load", load<Summarizer>)
      // `search`: the text of a JSON object with fields of [search] that differ from the model's.
      .def("summarize",
           [](const Summarizer& self, const Texts& documents, const std::string& search) {
             const auto summaries = released([&] {
               SummarizeOptions options{.search = self.search()};
               base::ConfigTree::from_json(search, "search").read_section("search", options.search);
               return self.summarize(documents, options);
             });
             Texts texts;
             for (const auto& summary : summaries) texts.push_back(summary.text);
             return texts;
           });
}

// A ranked document with the selection of its model, the default of summaries.
struct BoundDocument {
  RankedDocument document;
  summarization::SelectionConfig selection;
};

void bind_extractive_summarizer(nb::module_& module) {
  nb::class_<BoundDocument>(module, "RankedDocument")
      .def_prop_ro("truncated", [](const BoundDocument& self) { return self.document.truncated; })
      .def("sentences",
           [](const BoundDocument& self) {
             return released(
                 [&] { return base::json_text(summarization::sentences_json(self.document)); });
           })
      // `selection`: the text of a JSON object with fields of [selection].
      .def("summarize", [](const BoundDocument& self, const std::string& selection) {
        auto summary = released([&] {
          auto config = self.selection;
          config.override_by(base::ConfigTree::from_json(selection, "selection"));
          return self.document.summarize(config);
        });
        return std::pair(std::move(summary.text), std::move(summary.chosen));
      });
  nb::class_<ExtractiveSummarizer>(module, "ExtractiveSummarizer")
      .def_static("load", load<ExtractiveSummarizer>)
      .def("rank", [](const ExtractiveSummarizer& self, const Texts& documents) {
        auto ranked = released([&] { return self.rank(documents); });
        std::vector<BoundDocument> bound;
        for (auto& document : ranked) bound.push_back({std::move(document), self.selection()});
        return bound;
      });
}

}  // namespace

NB_MODULE(_train, module) {
  nb::set_leak_warnings(false);
  module.attr("__version__") = FASTFORMER_VERSION;
  module.def("train", train_recipe, nb::arg("file").none(), nb::arg("json"), nb::arg("assignments"),
             nb::arg("folder"), nb::arg("resume"), nb::arg("callback").none());
  module.def("autotune", autotune, nb::arg("data"), nb::arg("assignments"), nb::arg("folder"),
             nb::arg("seconds"), nb::arg("most_bytes"), nb::arg("callback").none());
  module.def("request_stop", [] { stop_requested = true; });
  module.def("kind_of_model",
             [](const std::string& folder) { return base::kind_of_model(folder); });
  python::bind_classifier<Classifier>(
      module, [](const Classifier& self) -> const runtime::Classifier& { return self.runtime(); });
  bind_recommender(module);
  bind_summarizer(module);
  bind_extractive_summarizer(module);
}
