#include "channels/first_epochs.h"

#include <QCryptographicHash>
#include <QRandomGenerator>
#include <QtEndian>

#include <array>

namespace relay {

namespace {

constexpr int kKeyWords = 4;

QByteArray randomKey()
{
    std::array<quint32, kKeyWords> words{};
    QRandomGenerator::system()->fillRange(words.data(), words.size());
    return {reinterpret_cast<const char *>(words.data()), sizeof(words)};
}

} // namespace

FirstEpochs::FirstEpochs()
    : m_key(randomKey())
    , m_timesForgotten(kCounters)
{}

Epoch FirstEpochs::of(const ChannelName &name) const
{
    const quint32 times = m_timesForgotten[std::hash<ChannelName>{}(name) % kCounters].load();
    QCryptographicHash hash(QCryptographicHash::Blake2b_160);
    hash.addData(m_key);
    hash.addData(QByteArrayView(reinterpret_cast<const char *>(&times), sizeof(times)));
    hash.addData(name.bytes());
    const auto bits = qFromLittleEndian<quint64>(hash.resultView().data()) >> 16;
    return Epoch{bits == 0 ? 1 : bits};
}

void FirstEpochs::forget(const ChannelName &name)
{
    m_timesForgotten[std::hash<ChannelName>{}(name) % kCounters].fetch_add(1);
}

} // namespace relay
