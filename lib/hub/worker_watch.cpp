#include "hub/worker_watch.h"

#include <QLoggingCategory>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcWatch, "relay.hub")

auto inSeconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

} // namespace

void WorkerWatch::watch(const std::vector<Ask> &workers)
{
    m_workers.clear();
    for (const Ask &ask : workers) {
        m_workers.push_back({.ask = ask,
                             .number = static_cast<int>(m_workers.size()) + 1,
                             .owesAnswer = std::make_shared<std::atomic<bool>>(false),
                             .askedAt = {}});
    }
}

void WorkerWatch::ask(TimePoint now)
{
    for (Watched &worker : m_workers) {
        tell(worker, now);
        if (!worker.owesAnswer->exchange(true)) {
            worker.askedAt = now;
            worker.ask([owesAnswer = worker.owesAnswer] { owesAnswer->store(false); });
        }
    }
}

void WorkerWatch::tell(Watched &worker, TimePoint now)
{
    const std::chrono::nanoseconds silence = silenceOf(worker, now);
    if (silence >= kPatience && !worker.isToldStuck) {
        worker.isToldStuck = true;
        qCWarning(lcWatch, "worker %d has not answered for %lld seconds: its clients wait",
                  worker.number, static_cast<long long>(inSeconds(silence)));
    } else if (silence < kPatience && worker.isToldStuck) {
        worker.isToldStuck = false;
        qCWarning(lcWatch, "worker %d answers again, after %lld seconds", worker.number,
                  static_cast<long long>(inSeconds(now - worker.askedAt)));
    }
}

std::chrono::nanoseconds WorkerWatch::silenceOf(const Watched &worker, TimePoint now)
{
    return worker.owesAnswer->load() ? now - worker.askedAt : std::chrono::nanoseconds::zero();
}

std::vector<StuckWorker> WorkerWatch::stuck(TimePoint now) const
{
    std::vector<StuckWorker> found;
    for (const Watched &worker : m_workers) {
        const std::chrono::nanoseconds silence = silenceOf(worker, now);
        if (silence >= kPatience) {
            found.push_back({worker.number, silence});
        }
    }
    return found;
}

std::vector<std::chrono::nanoseconds> WorkerWatch::silences(TimePoint now) const
{
    std::vector<std::chrono::nanoseconds> all;
    for (const Watched &worker : m_workers) {
        all.push_back(silenceOf(worker, now));
    }
    return all;
}

} // namespace relay
