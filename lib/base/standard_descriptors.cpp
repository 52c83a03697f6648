#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace relay {

void openStandardDescriptors()
{
    // open(2) takes the lowest number that is free.
    int descriptor = ::open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO) {
        descriptor = ::open("/dev/null", O_RDWR);
    }
    if (descriptor >= 0) {
        ::close(descriptor);
    }
}

} // namespace relay
