#include "config/schema.h"
#include "config/suggestion.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>

class TestSuggestion : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void suggestsTheKeyThatWasMeant_data();
    void suggestsTheKeyThatWasMeant();
    void distanceAgreesWithItsDefinition();
};

void TestSuggestion::suggestsTheKeyThatWasMeant_data()
{
    QTest::addColumn<QString>("unknown");
    QTest::addColumn<QString>("meant");
    const auto row = [](const char *unknown, const char *meant) {
        QTest::newRow(unknown) << QString::fromLatin1(unknown) << QString::fromLatin1(meant);
    };
    row("server.prot", "server.port");
    row("server.ports", "server.port");
    row("server.tls.certfile", "server.tls.cert_file");
    row("limit.message_size", "limits.message_size");
    row("serverr", "server");
    row("Server", "server");
    row("slow_client", "slow_clients");
    row("port", "server.port");
    row("cert_file", "server.tls.cert_file");
    row("server.cert_file", "server.tls.cert_file");
    row("message_sizes", "limits.message_size");
    row("tls.enabled", "server.tls.enabled");
    row("channel", "channels");
    row("histroy", "history");
    row("htpt", "http");
    row("hub.channels", "channels");
    row("tls", "server.tls");
    // A wrong guess costs more than none.
    row("database", "");
    row("server.colour", "");
    row("x", "");
}

// A slip is told with the key that was meant, also when only its section is missing.
void TestSuggestion::suggestsTheKeyThatWasMeant()
{
    QFETCH(QString, unknown);
    QFETCH(QString, meant);
    QCOMPARE(relay::closestKey(unknown, relay::settingsSchema().keys()), meant);
}

namespace {

/// The definition, without the table: exponential, and plain to see.
int distanceByDefinition(const QString &a, const QString &b)
{
    if (a.isEmpty() || b.isEmpty()) {
        return static_cast<int>(a.size() + b.size());
    }
    int fewest = std::min(
        {distanceByDefinition(a.chopped(1), b.chopped(1)) + (a.back() == b.back() ? 0 : 1),
         distanceByDefinition(a.chopped(1), b) + 1, distanceByDefinition(a, b.chopped(1)) + 1});
    if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] && b.back() == a[a.size() - 2])
    {
        fewest = std::min(fewest, distanceByDefinition(a.chopped(2), b.chopped(2)) + 1);
    }
    return fewest;
}

QString randomWord(QRandomGenerator &random)
{
    QString word;
    for (int length = random.bounded(6); length > 0; --length) {
        word += QLatin1Char(static_cast<char>('a' + random.bounded(3)));
    }
    return word;
}

} // namespace

// The table is exact on random words of few letters, where all cases meet.
void TestSuggestion::distanceAgreesWithItsDefinition()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    QRandomGenerator random(seed);
    for (int i = 0; i < 300; ++i) {
        const QString a = randomWord(random);
        const QString b = randomWord(random);
        QVERIFY2(relay::editDistance(a, b) == distanceByDefinition(a, b),
                 qPrintable(QStringLiteral("%1 and %2, seed %3").arg(a, b).arg(seed)));
    }
}

RELAY_TEST(TestSuggestion)
#include "tst_suggestion.moc"
