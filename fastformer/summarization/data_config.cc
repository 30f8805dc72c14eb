#include "fastformer/summarization/data_config.h"

#include <stdexcept>

#include "fastformer/summarization/readers/reader.h"

namespace fastformer::summarization {
namespace {

void check_fields(const DataConfig& config) {
  if (has_fields(config.format)) {
    if (config.source_field.empty() || config.target_field.empty()) {
      throw std::invalid_argument(
          "data.source_field and data.target_field must both be set, to the fields of document and "
          "summary");
    }
    if (config.source_field == config.target_field) {
      throw std::invalid_argument(
          "data.source_field and data.target_field are both '" + config.source_field +
          "'; give different fields, or the document would be its own summary");
    }
    return;
  }
  const DataConfig standard;
  if (config.source_field != standard.source_field ||
      config.target_field != standard.target_field) {
    throw std::invalid_argument(
        "data.source_field and data.target_field are for formats with fields such as jsonl; the "
        "format '" +
        config.format + "' has fixed fields: remove both");
  }
}

void check_lengths(std::int64_t minimum, std::int64_t maximum, const std::string& side) {
  if (minimum < 1 || maximum < 0) {
    throw std::invalid_argument("data.min_" + side + "_tokens must be at least 1 and data.max_" +
                                side + "_tokens at least 0 (no limit)");
  }
  if (maximum > 0 && minimum > maximum) {
    throw std::invalid_argument("data.min_" + side + "_tokens is " + std::to_string(minimum) +
                                ", above data.max_" + side + "_tokens " + std::to_string(maximum) +
                                ", so no pair would be left; lower the minimum");
  }
}

}  // namespace

void DataConfig::visit_fields(base::FieldVisitor& visit) {
  visit("format", format, "format of the files", base::one_of(pair_reader_names()));
  visit("train", train, "files or folders with the training pairs", base::file_path());
  visit("validation", validation,
        "files with the validation pairs; default: validation_fraction of train",
        base::file_path());
  visit("test", test, "files with the test pairs", base::file_path());
  visit("source_field", source_field,
        "jsonl, csv, tsv: field of the document; parallel: file name extension of the documents");
  visit("target_field", target_field,
        "jsonl, csv, tsv: field of the summary; parallel: file name extension of the summaries");
  dialect.visit_fields(visit);
  encoding.visit_fields(visit);
  visit("validation_fraction", validation_fraction, "fraction of train used for validation",
        base::between(0, 0.9));
  visit("split_seed", split_seed, "seed of the split");
  visit(
      "max_source_tokens", max_source_tokens,
      "documents are truncated to this many tokens; 0: no limit, the default of extractive models",
      base::at_least(0));
  visit("max_target_tokens", max_target_tokens,
        "abstractive: summaries are truncated to this many tokens; 0: no limit", base::at_least(0));
  visit("min_source_tokens", min_source_tokens, "pairs with a shorter document are dropped",
        base::at_least(1));
  visit("min_target_tokens", min_target_tokens, "pairs with a shorter summary are dropped",
        base::at_least(1));
  visit("cache", cache, "folder of the token cache; empty: inside the run", base::file_path());
}

void DataConfig::validate() const {
  check_fields(*this);
  dialect.validate();
  check_lengths(min_source_tokens, max_source_tokens, "source");
  check_lengths(min_target_tokens, max_target_tokens, "target");
  if (!(validation_fraction >= 0 && validation_fraction <= 0.9)) {
    throw std::invalid_argument("data.validation_fraction must be from 0 to 0.9");
  }
  if (validation_fraction > 0 && !validation.empty()) {
    throw std::invalid_argument(
        "data.validation lists files, so data.validation_fraction must be 0");
  }
}

}  // namespace fastformer::summarization
