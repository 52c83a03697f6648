// floor: the least that a broadcast relay can do on Linux, to hold a real one against.
//
//   floor PORT
//
// It listens on 127.0.0.1 (port 0: any; it prints which) with one thread and epoll; whatever a
// client sends goes to all, the sender too.
//
// It checks nothing: no limits, no origins, no UTF-8, no ping, no close frame; it keeps what a
// client does not take without bound. What it does, it does as a relay must: unmasks a message
// once, encodes the frame once, and sends each client all that a turn of the loop brought in one
// system call. So its cost is that of the system calls, and a little more.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

struct Client
{
    int socket = -1;
    std::size_t place = 0; ///< in Floor::m_members
    bool isMember = false; ///< its handshake is done
    std::string received;  ///< an unfinished frame or request
    std::string waiting;   ///< what its socket did not take
};

std::string acceptKey(std::string_view key)
{
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char *>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 32> encoded{};
    const int length =
        EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
    return {reinterpret_cast<const char *>(encoded.data()), static_cast<std::size_t>(length)};
}

/// Moves the whole frames in `input` to the end of `output`, unmasked; what is left of `input` is
/// returned.
std::string_view takeFrames(std::string_view input, std::string &output)
{
    const auto byteAt = [&input](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    while (input.size() >= 6) {
        std::uint64_t length = byteAt(1) & 0x7FU;
        const std::size_t lengthBytes = length == 127 ? 8 : (length == 126 ? 2 : 0);
        const std::size_t head = 2 + lengthBytes;
        if (input.size() < head + 4) {
            break;
        }
        if (lengthBytes > 0) {
            length = 0;
            for (std::size_t i = 2; i < head; ++i) {
                length = (length << 8) | byteAt(i);
            }
        }
        if (input.size() - head - 4 < length) {
            break;
        }
        const std::string_view mask = input.substr(head, 4);
        output += input[0];
        output += static_cast<char>(byteAt(1) & 0x7FU);
        output += input.substr(2, lengthBytes);
        const std::size_t begin = output.size();
        output += input.substr(head + 4, length);
        char *payload = output.data() + begin;
        for (std::size_t i = 0; i < length; ++i) {
            payload[i] = static_cast<char>(payload[i] ^ mask[i & 3]);
        }
        input.remove_prefix(head + 4 + length);
    }
    return input;
}

class Floor
{
public:
    explicit Floor(std::uint16_t port);
    [[nodiscard]] bool isListening() const { return m_listener >= 0; }
    [[noreturn]] void serve();

private:
    void accept();
    void read(Client &client);
    void welcome(Client &client);
    void write(Client &client);
    void broadcast();
    void remove(Client &client);
    void watch(Client &client, int operation, bool alsoWriting) const;

    int m_epoll = -1;
    int m_listener = -1;
    std::unordered_map<int, std::unique_ptr<Client>> m_clients; ///< by descriptor
    std::vector<Client *> m_members;
    std::string m_batch; ///< the frames that this turn brought
    std::vector<char> m_buffer = std::vector<char>(std::size_t{256} << 10);
};

Floor::Floor(std::uint16_t port)
    : m_epoll(epoll_create1(EPOLL_CLOEXEC))
{
    const int one = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
        || listen(listener, SOMAXCONN) != 0)
    {
        std::perror("floor: cannot listen");
        return;
    }
    socklen_t length = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length);
    std::printf("floor: listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    m_listener = listener;
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(m_epoll, EPOLL_CTL_ADD, m_listener, &event);
}

void Floor::watch(Client &client, int operation, bool alsoWriting) const
{
    epoll_event event{};
    event.events = EPOLLIN | (alsoWriting ? EPOLLOUT : 0U);
    event.data.ptr = &client;
    epoll_ctl(m_epoll, operation, client.socket, &event);
}

void Floor::serve()
{
    std::array<epoll_event, 512> events{};
    while (true) {
        const int count = epoll_wait(m_epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const epoll_event &event = events[static_cast<std::size_t>(i)];
            auto *client = static_cast<Client *>(event.data.ptr);
            if (client == nullptr) {
                accept();
                continue;
            }
            if ((event.events & EPOLLOUT) != 0) {
                write(*client);
            }
            if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
                read(*client);
            }
        }
        broadcast();
    }
}

void Floor::accept()
{
    int socket = -1;
    while ((socket = accept4(m_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        const int one = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        auto client = std::make_unique<Client>();
        client->socket = socket;
        watch(*client, EPOLL_CTL_ADD, false);
        m_clients[socket] = std::move(client);
    }
}

void Floor::read(Client &client)
{
    const ssize_t count = recv(client.socket, m_buffer.data(), m_buffer.size(), 0);
    if (count <= 0) {
        remove(client);
        return;
    }
    std::string_view input(m_buffer.data(), static_cast<std::size_t>(count));
    const bool hasRemainder = !client.received.empty();
    if (hasRemainder || !client.isMember) {
        client.received += input;
        if (!client.isMember) {
            welcome(client);
            if (!client.isMember) {
                return;
            }
        }
        input = client.received;
    }
    const std::string rest(takeFrames(input, m_batch));
    client.received = rest;
}

void Floor::welcome(Client &client)
{
    constexpr std::string_view kKeyField = "Sec-WebSocket-Key: ";
    const std::size_t end = client.received.find("\r\n\r\n");
    const std::size_t key = client.received.find(kKeyField);
    if (end == std::string::npos || key == std::string::npos) {
        return;
    }
    const std::string response =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: "
        + acceptKey(std::string_view(client.received).substr(key + kKeyField.size(), 24))
        + "\r\n\r\n";
    send(client.socket, response.data(), response.size(), MSG_NOSIGNAL);
    client.received.erase(0, end + 4);
    client.isMember = true;
    client.place = m_members.size();
    m_members.push_back(&client);
}

void Floor::write(Client &client)
{
    const ssize_t sent =
        send(client.socket, client.waiting.data(), client.waiting.size(), MSG_NOSIGNAL);
    if (sent > 0) {
        client.waiting.erase(0, static_cast<std::size_t>(sent));
    }
    if (client.waiting.empty()) {
        watch(client, EPOLL_CTL_MOD, false);
    }
}

void Floor::broadcast()
{
    if (m_batch.empty()) {
        return;
    }
    for (Client *client : m_members) {
        std::size_t taken = 0;
        if (client->waiting.empty()) {
            const ssize_t sent = send(client->socket, m_batch.data(), m_batch.size(), MSG_NOSIGNAL);
            taken = sent > 0 ? static_cast<std::size_t>(sent) : 0;
            if (taken == m_batch.size()) {
                continue;
            }
            watch(*client, EPOLL_CTL_MOD, true);
        }
        client->waiting.append(m_batch, taken);
    }
    m_batch.clear();
}

void Floor::remove(Client &client)
{
    if (client.isMember) {
        m_members.back()->place = client.place;
        m_members[client.place] = m_members.back();
        m_members.pop_back();
    }
    const int socket = client.socket;
    m_clients.erase(socket);
    close(socket);
}

} // namespace

int main(int argc, char **argv)
{
    const long port = argc == 2 ? std::strtol(argv[1], nullptr, 10) : -1;
    if (port < 0 || port > 65535) {
        std::fputs("usage: floor PORT\n", stderr);
        return 2;
    }
    Floor floor(static_cast<std::uint16_t>(port));
    if (!floor.isListening()) {
        return 1;
    }
    floor.serve();
}
