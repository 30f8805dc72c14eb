#include "fastformer/serve/model_table.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/base/printable.h"

namespace fastformer::serve {
namespace {

bool is_plain(std::string_view name) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(kPlain) == std::string_view::npos;
}

}  // namespace

void ModelTable::add(const std::string& name, ModelLoader loader) {
  if (!is_plain(name)) {
    throw std::invalid_argument("the model name '" + base::excerpt(name) +
                                "' cannot be part of a URL; use only letters, digits, '-', '_' "
                                "and '.', not first, as in NAME=DIRECTORY");
  }
  if (std::ranges::find(rows_, name, &Row::name) != rows_.end()) {
    throw std::invalid_argument("two models are named '" + name +
                                "'; give one of them another name, as in NAME=DIRECTORY");
  }
  auto model = loader();
  rows_.push_back({name, std::move(loader), std::move(model)});
}

Model ModelTable::find(std::string_view name) const {
  const auto row = std::ranges::find(rows_, name, &Row::name);
  if (row == rows_.end()) return nullptr;
  const std::scoped_lock lock(mutex_);
  return row->model;
}

std::vector<std::string> ModelTable::names() const {
  std::vector<std::string> names;
  for (const auto& row : rows_) names.push_back(row.name);
  return names;
}

void ModelTable::reload(std::string_view name) {
  const std::scoped_lock one(reloading_);
  const auto row = std::ranges::find(rows_, name, &Row::name);
  if (row == rows_.end()) throw std::out_of_range("no model of this name");
  auto model = row->load();
  // The old one is freed after the lock.
  const std::scoped_lock lock(mutex_);
  row->model.swap(model);
}

}  // namespace fastformer::serve
