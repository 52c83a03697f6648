#include "net/socket_handle.h"

#include <unistd.h>

namespace relay {

SocketHandle::~SocketHandle()
{
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

} // namespace relay
