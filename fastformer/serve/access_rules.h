#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/serve/options.h"
#include "fastformer/serve/reply.h"

namespace fastformer::serve {

/// The headers of a request that decide whether it is answered; empty: not there.
struct Caller {
  std::string_view host, origin, authorization;
};

/// Who may call a server.
///
/// - With a token file, a request needs one of its tokens: "Authorization: Bearer TOKEN".
/// - A page of another origin may call only if ServerOptions::allowed_origins has its origin.
/// - A server on a loopback address, or with ServerOptions::host_names, answers only to localhost,
///   addresses and these names, which prevents DNS rebinding.
class AccessRules {
 public:
  /// `loopback`: whether the server listens on a loopback address. Throws std::invalid_argument for
  /// a wrong origin or host name, and for a token file that cannot be read, that other users may
  /// read, or that has no tokens. Empty lines of the file, and those that begin with #, are
  /// skipped.
  AccessRules(const ServerOptions& options, bool loopback);

  /// The problem with a request; nullopt: none. `open`: whether it needs no token.
  std::optional<Reply> problem_of(const Caller& caller, bool open) const;
  /// Whether the origin is of ServerOptions::allowed_origins.
  bool is_allowed(std::string_view origin) const;

 private:
  bool has_token(std::string_view authorization) const;

  std::vector<std::string> tokens_, origins_;
  std::vector<std::string> hosts_;  ///< empty: any
};

}  // namespace fastformer::serve
