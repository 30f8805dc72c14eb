#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fastformer/serve/model_table.h"
#include "fastformer/serve/options.h"

namespace fastformer::serve {

/// An HTTP server for models: docs/server.md describes it, openapi.json its interface.
///
/// One thread reads and writes all connections, and others compute (WorkQueue). SIGTERM and SIGINT
/// end it after it has answered what it accepted; SIGHUP loads all models again and opens the
/// access log again.
class Server {
 public:
  using Log = std::function<void(const std::string& line)>;

  /// Binds the address. `log` gets sentences for the operator. Throws std::invalid_argument with
  /// one sentence for an address that cannot be used, and what AccessRules and AccessLog throw.
  Server(ModelTable& models, const ServerOptions& options, Log log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url() const;  ///< "http://127.0.0.1:8080"
  /// Serves the models, which may be added until now, until a signal ends it.
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastformer::serve
