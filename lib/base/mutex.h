#pragma once

#include <mutex>

// Clang's thread safety analysis: which mutex guards which member is checked when clang compiles
// (-Wthread-safety).
#if defined(__clang__)
#define RELAY_CAPABILITY(name) __attribute__((capability(name)))
#define RELAY_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define RELAY_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define RELAY_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define RELAY_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define RELAY_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#else
#define RELAY_CAPABILITY(name)
#define RELAY_SCOPED_CAPABILITY
#define RELAY_GUARDED_BY(mutex)
#define RELAY_ACQUIRE(...)
#define RELAY_RELEASE(...)
#define RELAY_REQUIRES(...)
#endif

namespace relay {

/// std::mutex, known to the analysis.
class RELAY_CAPABILITY("mutex") Mutex
{
public:
    void lock() RELAY_ACQUIRE() { m_mutex.lock(); }
    void unlock() RELAY_RELEASE() { m_mutex.unlock(); }

private:
    std::mutex m_mutex;
};

/// Holds a Mutex for a scope. Nothing may be called under it that could take another one, but for
/// what its owner's header names.
class RELAY_SCOPED_CAPABILITY MutexLock
{
public:
    explicit MutexLock(Mutex &mutex) RELAY_ACQUIRE(mutex)
        : m_mutex(mutex)
    {
        m_mutex.lock();
    }
    ~MutexLock() RELAY_RELEASE() { m_mutex.unlock(); }
    MutexLock(const MutexLock &) = delete;
    MutexLock &operator=(const MutexLock &) = delete;

private:
    Mutex &m_mutex;
};

} // namespace relay
