#include "fastformer/text/vocabulary.h"

#include "target.h"

namespace fastformer::fuzz {

using text::Vocabulary;

void run(std::string_view bytes) {
  const auto vocabulary = Vocabulary::load(write("vocab.txt", bytes));
  const auto copy = folder() / "copy.txt";
  vocabulary.save(copy);
  const auto again = Vocabulary::load(copy);
  check(again.size() == vocabulary.size(), "tokens survive");
  check(again.pad_id() == vocabulary.pad_id() && again.unknown_id() == vocabulary.unknown_id(),
        "special tokens survive");
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    check(again.token(id) == vocabulary.token(id), "a token survives");
    // A token on two lines has the id of the last.
    const auto own = vocabulary.id(vocabulary.token(id));
    check(own >= id && vocabulary.token(own) == vocabulary.token(id), "a token has its own id");
  }
}

}  // namespace fastformer::fuzz
