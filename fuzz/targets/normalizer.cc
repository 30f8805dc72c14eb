#include "fastformer/text/normalizer.h"

#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  auto choices = provider(take_choices(bytes, 1));
  const text::Normalizer normalizer(
      {.normalization = choices.PickValueInArray(
           {text::UnicodeForm::kNone, text::UnicodeForm::kNfc, text::UnicodeForm::kNfkc}),
       .lowercase = choices.ConsumeBool(),
       .strip_accents = choices.ConsumeBool(),
       .strip_markup = choices.ConsumeBool()});
  check_utf8(normalizer.normalize(bytes), "a normalized text is UTF-8");
}

}  // namespace fastformer::fuzz
