#include "fastformer/recommendation/data_config.h"

#include <stdexcept>

#include "fastformer/recommendation/readers/reader.h"

namespace fastformer::recommendation {

void DataConfig::visit_fields(base::FieldVisitor& visit) {
  visit("format", format, "format of the files", base::one_of(click_reader_names()));
  visit("train", train, "folders (or files) with the training impressions", base::file_path());
  visit("validation", validation,
        "folders with the validation impressions; default: validation_fraction of train",
        base::file_path());
  visit("test", test, "folders with the test impressions; default: test_fraction of train",
        base::file_path());
  visit("news", news, "mind: more news.tsv files, in addition to those next to the impressions",
        base::file_path());
  visit("validation_fraction", validation_fraction,
        "fraction of train, the latest by time, used for validation", base::between(0, 0.9));
  visit("test_fraction", test_fraction, "fraction of train, the latest by time, used for test",
        base::between(0, 0.9));
  visit("title_columns", title_columns, "columns joined into the text of an item");
  visit("category_column", category_column,
        "column of an item's category; empty: the format's own, if it has one");
  visit("title_tokens", title_tokens, "titles are truncated to this many tokens",
        base::between(1, 1 << 20));
  visit("history", history, "number of a user's latest clicks that the model reads",
        base::between(1, 1 << 20));
  visit("click_rating", click_rating, "recbole: the lowest rating that counts as a click");
  visit("sampled_negatives", sampled_negatives,
        "recbole, debian: negatives per click, sampled from the items that the user never "
        "interacted with",
        base::between(1, 1 << 20));
  encoding.visit_fields(visit);
  visit("sampling_seed", sampling_seed, "seed of the sampled negatives");
}

void DataConfig::validate() const {
  if (title_columns.empty()) {
    throw std::invalid_argument("data.title_columns is empty; list at least one column");
  }
  if (validation_fraction + test_fraction > 0.95) {
    throw std::invalid_argument(
        "data.validation_fraction and data.test_fraction must together be at most 0.95, so that "
        "training impressions remain");
  }
  if (validation_fraction > 0 && !validation.empty()) {
    throw std::invalid_argument(
        "data.validation and data.validation_fraction cannot both be set; remove one");
  }
  if (test_fraction > 0 && !test.empty()) {
    throw std::invalid_argument("data.test and data.test_fraction cannot both be set; remove one");
  }
  if (format != "mind" && !news.empty()) {
    throw std::invalid_argument("data.news is for the format mind; the format '" + format +
                                "' reads its items together with the clicks: remove data.news");
  }
}

}  // namespace fastformer::recommendation
