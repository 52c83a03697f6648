#include "chunked_body.h"

#include <algorithm>
#include <cstring>

namespace relay::bench {

std::span<char> ChunkedBody::unwrap(std::span<char> bytes)
{
    std::size_t kept = 0;
    std::size_t at = 0;
    while (at < bytes.size() && m_state != State::End && m_state != State::Broken) {
        if (m_state != State::Data) {
            takeFraming(bytes[at++]);
            continue;
        }
        const auto piece =
            static_cast<std::size_t>(std::min<std::uint64_t>(m_left, bytes.size() - at));
        std::memmove(bytes.data() + kept, bytes.data() + at, piece);
        kept += piece;
        at += piece;
        m_left -= piece;
        m_state = m_left == 0 ? State::DataEnd : State::Data;
    }
    return bytes.first(kept);
}

void ChunkedBody::takeFraming(char c)
{
    if (m_state == State::Size && c != '\n') {
        takeSizeDigit(c);
    } else if (m_state == State::DataEnd && c != '\n') {
        m_state = c == '\r' ? State::DataEnd : State::Broken;
    } else if (c == '\n') {
        if (m_state == State::DataEnd) {
            m_state = State::Size;
            m_hasDigit = false;
        } else if (!m_hasDigit) {
            m_state = State::Broken;
        } else {
            m_state = m_left == 0 ? State::End : State::Data;
        }
    }
}

void ChunkedBody::takeSizeDigit(char c)
{
    constexpr std::uint64_t kMostBeforeADigit = UINT64_MAX >> 4;
    const char lower = static_cast<char>(c | 0x20);
    const bool isLetter = lower >= 'a' && lower <= 'f';
    if ((c >= '0' && c <= '9') || isLetter) {
        const auto digit = static_cast<std::uint64_t>(isLetter ? lower - 'a' + 10 : c - '0');
        if (m_left > kMostBeforeADigit) {
            m_state = State::Broken;
            return;
        }
        m_left = m_left << 4 | digit;
        m_hasDigit = true;
    } else {
        m_state = m_hasDigit && (c == '\r' || c == ';' || c == ' ' || c == '\t') ? State::Extension
                                                                                 : State::Broken;
    }
}

} // namespace relay::bench
