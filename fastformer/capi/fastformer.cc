#include "fastformer/capi/fastformer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/runtime/classifier.h"
#include "fastformer/runtime/explanation_json.h"

struct fastformer_classifier {
  fastformer::runtime::Classifier model;
};

namespace {

using fastformer::runtime::Classifier;

thread_local std::string last_error = "no call has failed";
thread_local bool out_of_memory = false;

int fail(int code, const char* message) {
  constexpr std::size_t kLongest = 4000;
  out_of_memory = false;
  try {
    last_error = fastformer::base::excerpt(message, kLongest);
  } catch (...) {
    out_of_memory = true;
  }
  return code;
}

// Runs `action`; its exceptions become a code and a message.
template <class Action>
int guarded(const Action& action) {
  try {
    action();
    return FASTFORMER_OK;
  } catch (const fastformer::base::OutOfMemory& error) {
    return fail(FASTFORMER_OUT_OF_MEMORY, error.what());
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
    return FASTFORMER_OUT_OF_MEMORY;
  } catch (const std::invalid_argument& error) {
    return fail(FASTFORMER_INVALID_ARGUMENT, error.what());
  } catch (const std::exception& error) {
    return fail(FASTFORMER_FAILED, error.what());
  } catch (...) {
    return fail(FASTFORMER_FAILED, "unknown exception; please report this as a bug");
  }
}

void check(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

std::vector<std::string_view> views_of(const fastformer_classifier* classifier,
                                       const fastformer_text* texts, std::size_t count,
                                       const void* out) {
  check(classifier != nullptr, "the classifier is NULL; load one first");
  const auto number = std::to_string(count);
  check(count == 0 || texts != nullptr,
        "texts is NULL, but count is " + number + "; pass an array of so many texts");
  check(count == 0 || out != nullptr, "the output is NULL; pass memory for the results");
  std::vector<std::string_view> views;
  views.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [data, size] = texts[i];
    if (data == nullptr && size > 0) {
      throw std::invalid_argument("texts[" + std::to_string(i) +
                                  "].data is NULL, but its size is " + std::to_string(size) +
                                  "; pass the text");
    }
    views.emplace_back(size == 0 ? "" : data, size);
  }
  return views;
}

fastformer::Options options_of(const fastformer_options* given) {
  fastformer::Options options;
  if (given == nullptr) return options;
  check(given->struct_size == sizeof(fastformer_options),
        "options.struct_size is " + std::to_string(given->struct_size) + ", expected " +
            std::to_string(sizeof(fastformer_options)) + "; call fastformer_options_init() first");
  check(given->threads >= 0, "options.threads is " + std::to_string(given->threads) +
                                 "; expected 0 (all cores) or a positive number");
  check(given->max_batch_tokens >= 1, "options.max_batch_tokens is " +
                                          std::to_string(given->max_batch_tokens) +
                                          "; expected at least 1");
  options.threads = given->threads;
  options.max_batch_tokens = given->max_batch_tokens;
  return options;
}

}  // namespace

const char* fastformer_version(void) { return FASTFORMER_VERSION; }
int fastformer_abi_version(void) { return FASTFORMER_ABI_VERSION; }
const char* fastformer_last_error(void) {
  if (!out_of_memory) return last_error.c_str();
  return "there is not enough memory; use a smaller model or fewer texts per call";
}

void fastformer_options_init(fastformer_options* options) {
  if (options == nullptr) return;
  const fastformer::Options defaults;
  *options = {sizeof(fastformer_options), defaults.threads, defaults.max_batch_tokens};
}

fastformer_classifier* fastformer_classifier_load(const char* directory,
                                                  const fastformer_options* options) {
  fastformer_classifier* loaded = nullptr;
  guarded([&] {
    check(directory != nullptr, "the model directory is NULL");
    loaded = new fastformer_classifier{Classifier::load(directory, options_of(options))};
  });
  return loaded;
}

void fastformer_classifier_free(fastformer_classifier* classifier) { delete classifier; }

size_t fastformer_classifier_label_count(const fastformer_classifier* classifier) {
  return classifier == nullptr ? 0 : classifier->model.frame().labels.size();
}

const char* fastformer_classifier_label(const fastformer_classifier* classifier, size_t index) {
  if (index >= fastformer_classifier_label_count(classifier)) return nullptr;
  return classifier->model.frame().labels[index].c_str();
}

int fastformer_classifier_multi_label(const fastformer_classifier* classifier) {
  return classifier != nullptr && classifier->model.frame().several_labels() ? 1 : 0;
}

size_t fastformer_classifier_width(const fastformer_classifier* classifier) {
  return classifier == nullptr ? 0 : static_cast<size_t>(classifier->model.network().width());
}

int fastformer_classify(const fastformer_classifier* classifier, const fastformer_text* texts,
                        size_t count, double* probabilities, uint8_t* predicted) {
  return guarded([&] {
    const auto views = views_of(classifier, texts, count, probabilities);
    const auto& labels = classifier->model.frame().labels;
    for (const auto& prediction : classifier->model.classify(std::span(views))) {
      probabilities = std::ranges::copy(prediction.probabilities, probabilities).out;
      if (predicted == nullptr) continue;
      for (const auto& label : labels) {
        *predicted++ = std::ranges::find(prediction.labels, label) != prediction.labels.end();
      }
    }
  });
}

int fastformer_embed(const fastformer_classifier* classifier, const fastformer_text* texts,
                     size_t count, float* vectors) {
  return guarded([&] {
    const auto views = views_of(classifier, texts, count, vectors);
    std::ranges::copy(classifier->model.embed(std::span(views)).values, vectors);
  });
}

int fastformer_explain(const fastformer_classifier* classifier, fastformer_text text, char** json) {
  return guarded([&] {
    const auto views = views_of(classifier, &text, 1, static_cast<const void*>(json));
    const auto written = fastformer::runtime::explanation_json(classifier->model, views.front());
    *json = new char[written.size() + 1];
    std::memcpy(*json, written.c_str(), written.size() + 1);
  });
}

void fastformer_string_free(char* text) { delete[] text; }
