#pragma once

#include "net/epoll_dispatcher.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QThread>
#include <QTimer>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <latch>
#include <utility>

/// What the tests of the dispatcher share: a thread to run on, and descriptors to play with.
namespace relay::test {

enum class DispatcherKind {
    Qt,
    Epoll
};

/// Runs `body` on a thread of its own with the dispatcher asked for, and returns when it is done.
inline void runOn(DispatcherKind kind, std::function<void()> body)
{
    class Thread final : public QThread
    {
    public:
        explicit Thread(std::function<void()> work)
            : m_work(std::move(work))
        {}
        void run() override
        {
            m_work();
            m_isDone.count_down();
        }
        void join()
        {
            m_isDone.wait(); // the thread sanitizer does not see into QThread::wait()
            wait();
        }

    private:
        std::function<void()> m_work;
        std::latch m_isDone{1};
    };
    Thread thread(std::move(body));
    if (kind == DispatcherKind::Epoll) {
        thread.setEventDispatcher(new EpollDispatcher); // owned by the thread
    }
    thread.start();
    thread.join();
}

/// Turns the current thread's dispatcher until `done` or, after ten seconds, gives up with false.
inline bool turnUntil(const std::function<bool()> &done)
{
    const QDeadlineTimer deadline(10'000);
    QTimer tick; // so that a wait in which nothing happens ends
    tick.start(5);
    while (!done() && !deadline.hasExpired()) {
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return done();
}

/// Two connected stream sockets; what is written to far() can be read from near().
class SocketPair
{
public:
    SocketPair()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, m_ends.data())
            != 0) {
            qFatal("socketpair failed");
        }
    }
    ~SocketPair()
    {
        closeNear();
        closeFar();
    }
    SocketPair(const SocketPair &) = delete;
    SocketPair &operator=(const SocketPair &) = delete;

    [[nodiscard]] int near() const { return m_ends[0]; }
    [[nodiscard]] int far() const { return m_ends[1]; }

    void makeReadable() const { write(far()); }
    /// Takes what there is.
    void drain() const
    {
        std::array<char, 4096> buffer{};
        while (::recv(near(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
        }
    }
    void drainFar() const
    {
        std::array<char, 4096> buffer{};
        while (::recv(far(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
        }
    }
    /// Writes to near() until the kernel takes no more.
    void fill() const
    {
        const std::array<char, 4096> buffer{};
        while (::send(near(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        }
    }
    void closeNear() { close(m_ends[0]); }
    void closeFar() { close(m_ends[1]); }
    /// Closes near() and lets `other`'s near end have its number.
    void replaceNear(SocketPair &other)
    {
        if (::dup2(other.near(), near()) < 0) { // closes the old one first
            qFatal("dup2 failed");
        }
        other.closeNear();
        other.m_ends[0] = std::exchange(m_ends[0], -1);
    }

private:
    static void write(int descriptor)
    {
        if (::send(descriptor, "x", 1, MSG_NOSIGNAL) != 1) {
            qFatal("send failed");
        }
    }
    static void close(int &descriptor)
    {
        if (descriptor >= 0) {
            ::close(std::exchange(descriptor, -1));
        }
    }

    std::array<int, 2> m_ends{-1, -1};
};

} // namespace relay::test
