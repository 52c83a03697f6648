#include "run.h"

#include "descriptor_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <random>

namespace relay::bench {

namespace {

constexpr Nanoseconds kTick = 2 * kMillisecond;
/// No connection came or failed for so long: the rest is given up.
constexpr Nanoseconds kConnectPatience = 10 * kSecond;
/// A probe reaches every client, or the relay does not relay.
constexpr Nanoseconds kProbePatience = 5 * kSecond;
/// When all others have it, the sender would have it too.
constexpr Nanoseconds kEchoPatience = 300 * kMillisecond;
/// From telling the workers of the load to its begin: longer than any of them waits before it
/// looks.
constexpr Nanoseconds kHeadStart = 50 * kMillisecond;
/// What is in flight is waited for as long as something comes, and so long after.
constexpr Nanoseconds kDrainQuiet = kSecond;
constexpr Nanoseconds kDrainPatience = 30 * kSecond;

} // namespace

Run::Run(const Options &options, const std::atomic<bool> &interrupted)
    : m_options(options)
    , m_interrupted(interrupted)
    , m_showsProgress(options.hasProgress || isatty(STDERR_FILENO) != 0)
{}

Run::~Run()
{
    stopWorkers();
}

Checked<RunResult> Run::execute()
{
    if (auto problem = prepare()) {
        return *problem;
    }
    startWorkers();
    if (auto problem = connectAll()) {
        return *problem;
    }
    if (m_options.idle > 0) {
        hold();
    } else {
        if (auto problem = findReceivers()) {
            return *problem;
        }
        load();
        drain();
    }
    finish();
    return std::move(m_result);
}

std::optional<Problem> Run::prepare()
{
    if (auto problem = raiseDescriptorLimit(m_options.clients, m_options.threads)) {
        return problem;
    }
    auto endpoint = resolve(m_options.url);
    if (auto *problem = std::get_if<Problem>(&endpoint)) {
        return *problem;
    }
    m_endpoint = std::get<Endpoint>(endpoint);
    if (m_options.serverPid) {
        auto server = ServerProcess::find(*m_options.serverPid);
        if (auto *problem = std::get_if<Problem>(&server)) {
            return *problem;
        }
        m_server = std::get<ServerProcess>(server);
        m_result.server = ServerCost{.bytesBefore = m_server->residentBytes()};
    }
    return std::nullopt;
}

void Run::startWorkers()
{
    const std::uint32_t runId = std::random_device{}();
    for (int i = 0; i < m_options.threads; ++i) {
        m_workers.push_back(std::make_unique<Worker>(m_options, m_endpoint, m_control, i, runId));
    }
    m_connectBegin = now();
    for (const auto &worker : m_workers) {
        m_threads.emplace_back(&Worker::run, worker.get());
    }
}

void Run::stopWorkers()
{
    m_control.enter(Phase::Stop);
    for (std::thread &thread : m_threads) {
        thread.join();
    }
    m_threads.clear();
}

Tally Run::tally() const
{
    Tally sum;
    for (const auto &worker : m_workers) {
        sum += worker->tally();
    }
    return sum;
}

// Connecting

std::optional<Problem> Run::connectAll()
{
    const double interval = m_options.connectsPerSecond > 0 ? 1 / m_options.connectsPerSecond : 0;
    const Nanoseconds patience = kConnectPatience + static_cast<Nanoseconds>(interval * 1e9);
    Nanoseconds lastChange = now();
    int settled = 0;
    Tally sum;
    while (settled < m_options.clients && !m_interrupted) {
        sleepUntil(now() + kTick);
        sum = tally();
        if (sum.open == 0 && sum.dropped == 0 && sum.failed > 0) {
            return connectProblem(sum);
        }
        const int settledBefore = settled;
        settled = sum.open + sum.failed + sum.dropped + sum.evicted;
        if (settled != settledBefore) {
            lastChange = now();
        } else if (now() - lastChange > patience) {
            break;
        }
    }
    if (sum.open == 0) {
        return Problem{m_options.url.text()
                       + " accepts connections, but does not answer the handshake"};
    }
    m_result.connected = sum.open;
    m_result.unanswered = m_options.clients - settled;
    m_result.connectSeconds = toSeconds(sum.lastOpened - m_connectBegin);
    if (m_server) {
        m_result.server->bytesConnected = m_server->residentBytes();
    }
    return std::nullopt;
}

Problem Run::connectProblem(const Tally &sum) const
{
    const std::string where = m_options.url.text();
    switch (sum.connectError) {
    case 0:
        return Problem{where + ": " + sum.firstFailure};
    case ECONNREFUSED:
        return Problem{where
                       + ": connection refused: nothing listens there. Start the relay first,"
                         " e.g. relayd --config-file relay.yaml, or name its port with --url"};
    case EADDRNOTAVAIL:
        return Problem{where
                       + ": no free port to connect from; widen net.ipv4.ip_local_port_range"
                         " or use fewer --clients"};
    default:
        return Problem{where + ": " + sum.firstFailure};
    }
}

std::optional<Problem> Run::findReceivers()
{
    m_control.enter(Phase::Probe);
    const Nanoseconds deadline = now() + kProbePatience;
    Nanoseconds complete = 0;
    Tally sum = tally();
    while (!m_interrupted) {
        sleepUntil(now() + kTick);
        sum = tally();
        const int others = sum.reading - (sum.hasEcho ? 0 : m_options.channels);
        if (sum.probed < others) {
            complete = 0;
        } else if (complete == 0) {
            complete = now();
        }
        if (complete != 0
            && (sum.hasEcho || m_options.isWithoutEcho || now() > complete + kEchoPatience)) {
            break;
        }
        if (now() > deadline) {
            return Problem{m_options.url.text() + ": of " + std::to_string(sum.reading)
                           + " clients only " + std::to_string(sum.probed)
                           + " received what the first one of their channel sent: it does not"
                             " relay to all on this URL"};
        }
    }
    m_result.hasEcho = sum.hasEcho;
    if (!sum.hasEcho && m_options.window > 0
        && m_options.readingClients() < 2 * std::lcm(m_options.threads, m_options.channels))
    {
        return Problem{"the relay does not send to the sender: with --window each thread then needs"
                       " two clients that read at once on each channel"};
    }
    return std::nullopt;
}

// Measuring

Run::Sample Run::sample() const
{
    timespec own{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    const Tally sum = tally();
    return Sample{.time = now(),
                  .serverCpu = m_server ? m_server->cpuTime() : 0,
                  .ownCpu = own.tv_sec * kSecond + own.tv_nsec,
                  .sent = sum.sent,
                  .received = sum.received};
}

void Run::takeDifference(const Sample &from, const Sample &to)
{
    m_result.seconds = toSeconds(to.time - from.time);
    m_result.published = to.sent - from.sent;
    m_result.deliveries = to.received - from.received;
    m_result.loadCpuSeconds = toSeconds(to.ownCpu - from.ownCpu);
    if (m_server) {
        m_result.server->cpuSeconds = toSeconds(to.serverCpu - from.serverCpu);
        m_result.server->bytesAtEnd = m_server->residentBytes();
    }
}

void Run::hold()
{
    m_control.enter(Phase::Hold);
    const Sample from = sample();
    m_lastShown = from;
    sleepUntil(from.time + m_options.idle);
    takeDifference(from, sample());
}

void Run::load()
{
    LoadPlan plan;
    plan.begin = now() + kHeadStart;
    plan.measure = plan.begin + m_options.warmup;
    plan.end = plan.measure + m_options.duration;
    plan.hasEcho = m_result.hasEcho;
    m_control.beginLoad(plan);
    m_lastShown = sample();
    sleepUntil(plan.measure);
    const Sample from = sample();
    sleepUntil(plan.end);
    takeDifference(from, sample());
}

void Run::drain()
{
    m_control.enter(Phase::Drain);
    const Nanoseconds deadline = now() + kDrainPatience;
    Tally sum = tally();
    Nanoseconds lastChange = now();
    while (now() < deadline && now() - lastChange < kDrainQuiet) {
        const std::uint64_t receivedBefore = sum.received;
        sleepUntil(now() + kTick);
        sum = tally();
        if (sum.received >= sum.expected && now() - lastChange > 10 * kTick) {
            return;
        }
        if (sum.received != receivedBefore || sum.away > 0) {
            lastChange = now();
        }
    }
}

void Run::sleepUntil(Nanoseconds time)
{
    while (!m_interrupted) {
        Nanoseconds until = time;
        if (m_showsProgress && m_lastShown.time != 0) {
            until = std::min(until, m_lastShown.time + kSecond);
        }
        // Not longer than an interrupt may take to be seen, should its signal reach another thread.
        until = std::min(until, now() + 100 * kMillisecond);
        const timespec wakeUp{.tv_sec = until / kSecond, .tv_nsec = until % kSecond};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wakeUp, nullptr);
        if (m_showsProgress && m_lastShown.time != 0 && now() >= m_lastShown.time + kSecond) {
            showProgress();
        }
        if (now() >= time) {
            return;
        }
    }
}

void Run::showProgress()
{
    const Sample current = sample();
    const double seconds = toSeconds(current.time - m_lastShown.time);
    const Tally sum = tally();
    std::fprintf(stderr, "%d clients  %.0f msg/s  %.0f deliveries/s", sum.open,
                 static_cast<double>(current.sent - m_lastShown.sent) / seconds,
                 static_cast<double>(current.received - m_lastShown.received) / seconds);
    if (m_server) {
        std::fprintf(stderr, "  server %.0f %% CPU, %.1f MiB",
                     100 * toSeconds(current.serverCpu - m_lastShown.serverCpu) / seconds,
                     static_cast<double>(m_server->residentBytes()) / (1024.0 * 1024));
    }
    if (sum.dropped > 0) {
        std::fprintf(stderr, "  %d connections lost", sum.dropped);
    }
    std::fputc('\n', stderr);
    m_lastShown = current;
}

// Ending

void Run::finish()
{
    m_result.tally =
        tally(); // before they are told to stop: from then on, connections end by our own doing
    m_result.wasInterrupted = m_interrupted;
    stopWorkers();
    m_result.addUp(m_options, m_workers);
}

} // namespace relay::bench
