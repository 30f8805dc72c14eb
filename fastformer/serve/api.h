#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "fastformer/serve/access_rules.h"
#include "fastformer/serve/metrics.h"
#include "fastformer/serve/model_table.h"
#include "fastformer/serve/reply.h"
#include "fastformer/serve/work_queue.h"

namespace fastformer::serve {

/// An HTTP request without its body.
struct Request {
  std::string_view method, target, content_type, content_encoding, accept;
  Caller caller;
};

/// What a request leads to.
struct Action {
  /// What metrics call it: "classify", "models", "page", ...; "none" for what does not exist.
  std::string operation = "none";
  /// An answer, a job for the queue, or the name of a model to load again.
  struct Reload {
    std::string model;
  };
  std::variant<Reply, std::shared_ptr<Job>, Reload> next;
  bool stream = false;  ///< of a job: answer with server-sent events
};

/// The routes of a server: the interface that openapi.json describes, and the page.
class Api {
 public:
  Api(const ModelTable& models, const Metrics& metrics, const AccessRules& rules)
      : models_(models), metrics_(metrics), rules_(rules) {}

  Action begin(Request request) const;
  /// The answer of a job that is done.
  static Reply finish(Job& job);
  /// Adds the headers that let pages of an allowed origin read the reply.
  void allow_origin(std::string_view origin, Reply& reply) const;

  /// Until then /readyz has status 200, afterwards 503.
  void drain() { draining_ = true; }

 private:
  Action route(Request& request) const;
  Action model_route(Request& request, std::string_view rest) const;
  Reply list_models() const;

  const ModelTable& models_;
  const Metrics& metrics_;
  const AccessRules& rules_;
  bool draining_ = false;
};

}  // namespace fastformer::serve
