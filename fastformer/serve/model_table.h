#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/model_service.h"

namespace fastformer::serve {

using Model = std::shared_ptr<const base::ModelService>;
using ModelLoader = std::function<Model()>;

/// The models of a server by name. A reload replaces a model; requests that have begun keep theirs.
/// Safe to use from several threads.
class ModelTable {
 public:
  /// Loads a model. Throws what `loader` throws, and std::invalid_argument for a name that is taken
  /// or that a path of a URL cannot hold as it is.
  void add(const std::string& name, ModelLoader loader);

  Model find(std::string_view name) const;  ///< null: there is none
  std::vector<std::string> names() const;
  /// Loads the model again, one at a time. Throws what its loader throws; the old one then stays.
  void reload(std::string_view name);

 private:
  struct Row {
    std::string name;
    ModelLoader load;
    Model model;
  };
  std::vector<Row> rows_;     // their number and names do not change while the server runs
  mutable std::mutex mutex_;  // of Row::model
  std::mutex reloading_;
};

}  // namespace fastformer::serve
