// The speed of an extractive summarizer, for bench/extractive_summaries.
//
//   fastformer_extractive_speed MODEL FILE FIELD   documents per second of sentence splitting alone
//                                                  and of summaries, one thread, as JSON
//   fastformer_extractive_speed MODEL FILE FIELD WORDS...   seconds and memory of one document of
//   so
//                                                  many words each, made of those of the file
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/data/json_lines.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"
#include "fastformer/text/document_sentences.h"

namespace {

using namespace fastformer;

constexpr int kRounds = 5;

struct Times {
  double median, least, most;
};

Times seconds_of(const std::function<void()>& action) {
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    action();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[kRounds / 2], seconds.front(), seconds.back()};
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<std::string> read_documents(const std::string& file, const std::string& field) {
  std::vector<std::string> documents;
  data::JsonLines lines(file);
  for (nlohmann::json object; documents.size() < 1000 && lines.next(object);) {
    documents.push_back(data::lines_of_field(object, field, lines.where()));
  }
  return documents;
}

std::size_t words_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

// A document alone must have the summary that it has among others.
void check(const ExtractiveSummarizer& summarizer, const std::vector<std::string>& documents) {
  const auto ranked = summarizer.rank(documents);
  for (std::size_t i = 0; i < documents.size(); i += 100) {
    if (ranked[i].summarize(summarizer.selection()).text !=
        summarizer.summarize(documents[i]).text) {
      throw std::runtime_error("document " + std::to_string(i) + " alone has another summary");
    }
  }
}

void compare(const ExtractiveSummarizer& summarizer, const std::vector<std::string>& documents) {
  check(summarizer, documents);
  std::size_t sentences = 0, letters = 0;
  const auto split = seconds_of([&] {
    for (const auto& document : documents) sentences += text::document_sentences(document).size();
  });
  const auto extract = seconds_of([&] {
    for (const auto& document : summarizer.rank(documents)) {
      letters += document.summarize(summarizer.selection()).text.size();
    }
  });
  const auto count = static_cast<double>(documents.size());
  const auto json = [&](const Times& times) {
    return nlohmann::ordered_json{count / times.median, count / times.most, count / times.least};
  };
  std::cout << nlohmann::ordered_json{{"documents", documents.size()},
                                      {"sentences", sentences / kRounds},
                                      {"summary_bytes", letters / kRounds},
                                      {"split", json(split)},
                                      {"extract", json(extract)}}
            << '\n';
}

void measure_length(const ExtractiveSummarizer& summarizer,
                    const std::vector<std::string>& documents, std::size_t words) {
  std::string document;
  std::size_t taken = 0;
  for (std::size_t i = 0; taken < words; i = (i + 1) % documents.size()) {
    document += documents[i] + '\n';
    taken += words_of(documents[i]);
  }
  const auto times = seconds_of([&] { summarizer.summarize(document); });
  std::cout << nlohmann::ordered_json{{"words", taken},
                                      {"seconds", times.median},
                                      {"least", times.least},
                                      {"most", times.most},
                                      {"peak_MB", peak_megabytes()}}
            << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: fastformer_extractive_speed MODEL FILE FIELD [WORDS...]\n";
    return 2;
  }
  try {
    const auto summarizer = ExtractiveSummarizer::load(argv[1], {.threads = 1});
    const auto documents = read_documents(argv[2], argv[3]);
    summarizer.summarize(documents.at(0));  // loads code and makes threads
    if (argc == 4) compare(summarizer, documents);
    for (int i = 4; i < argc; ++i) measure_length(summarizer, documents, std::stoul(argv[i]));
  } catch (const std::exception& error) {
    std::cerr << "fastformer_extractive_speed: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
