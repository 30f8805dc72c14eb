#pragma once

namespace fastformer::base {

/// Opens standard streams that are closed on /dev/null, at the start of a program. A file that is
/// opened later would take the number of such a stream and get the text that is written for people.
void open_standard_streams();

}  // namespace fastformer::base
