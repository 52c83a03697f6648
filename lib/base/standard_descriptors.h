#pragma once

namespace relay {

/// Opens /dev/null in the place of standard input, output or error where the process was started without it. Otherwise
/// the first sockets would get these numbers, and a client would be sent the log.
///
/// Thread: main, before anything opens a descriptor.
/// Errors: without /dev/null the places stay empty.
void openStandardDescriptors();

} // namespace relay
