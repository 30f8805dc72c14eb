// The body of a request to the server, as each operation reads it.
#include "fastformer/base/request_body.h"

#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const base::RequestLimits limits{.inputs = 100, .text_bytes = 1000, .top = 10};
  base::RequestBody body(bytes, limits);
  const auto reads_users = body.flag("of_users").value_or(false);
  if (reads_users) {
    body.objects("users", [](base::RequestBody& user) {
      for (const auto* name : {"history", "candidates"}) {
        const auto ids = user.ids(name);
        if (!ids) continue;
        for (const auto& id : *ids) check_utf8(id, "ids are UTF-8");
      }
    });
  } else {
    const auto texts = body.texts("texts");
    check(!texts.empty() && texts.size() <= limits.inputs, "the number of texts is in range");
    for (const auto& text : texts) {
      check(text.size() <= limits.text_bytes, "texts are short");
      check_utf8(text, "texts are UTF-8");
    }
  }
  const auto top = body.integer("top_k", 1, 10);
  check(!top || (*top >= 1 && *top <= 10), "the integer is in range");
  if (const auto search = body.object("search")) check_utf8(*search, "objects are UTF-8");
  body.check_all_read();
}

}  // namespace fastformer::fuzz
