#include "conformance/case.h"
#include "conformance/case_runner.h"
#include "conformance/hub_thread.h"
#include "support/test_main.h"

#include <QSet>
#include <QTest>

#include <memory>

using namespace relay;
using namespace relay::test;

/// RFC 6455, case by case, over real sockets against a relay with echo on. The cases are tables, a
/// file for each topic; what is promised for each is strict: the exact frames, in order, the exact
/// close code, the end of the connection, and a bystander who sees the messages and nothing else.
class TestConformance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();

    void casesAreManyAndHaveNamesOfTheirOwn();
    void framing_data() { addRows(framingCases()); }
    void framing() { runRow(); }
    void controlFrames_data() { addRows(controlCases()); }
    void controlFrames() { runRow(); }
    void violations_data() { addRows(violationCases()); }
    void violations() { runRow(); }
    void fragmentation_data() { addRows(fragmentationCases()); }
    void fragmentation() { runRow(); }
    void validText_data() { addRows(validTextCases()); }
    void validText() { runRow(); }
    void invalidText_data() { addRows(invalidTextCases()); }
    void invalidText() { runRow(); }
    void closing_data() { addRows(closingCases()); }
    void closing() { runRow(); }
    void limits_data() { addRows(limitCases()); }
    void limits() { runRow(); }
    void noConnectionIsLeftBehind();

private:
    static void addRows(const QList<Case> &cases);
    void runRow();

    std::unique_ptr<HubThread> m_relay;
    std::unique_ptr<CaseRunner> m_runner;
};

void TestConformance::initTestCase()
{
    HubOptions options;
    options.echo = true;
    options.workers =
        2; // so that a case's client and the bystander are served by different threads
    options.limits.messageSize = kMaxMessageBytes;
    m_relay = std::make_unique<HubThread>(options);
    QVERIFY(m_relay->port() != 0);
    m_runner = std::make_unique<CaseRunner>(m_relay->port());
}

void TestConformance::cleanupTestCase()
{
    m_runner.reset();
    m_relay.reset();
}

void TestConformance::addRows(const QList<Case> &cases)
{
    QTest::addColumn<Case>("testCase");
    for (const Case &testCase : cases) {
        QTest::newRow(testCase.title().constData()) << testCase;
    }
}

void TestConformance::runRow()
{
    QFETCH(Case, testCase);
    const QByteArray problem = m_runner->run(testCase);
    QVERIFY2(problem.isEmpty(), problem.constData());
}

// A generator that yields nothing, or the same case again and again, would pass all the others.
void TestConformance::casesAreManyAndHaveNamesOfTheirOwn()
{
    const QList<QList<Case>> tables{framingCases(),       controlCases(),   violationCases(),
                                    fragmentationCases(), validTextCases(), invalidTextCases(),
                                    closingCases(),       limitCases()};
    QSet<QByteArray> titles;
    for (const QList<Case> &cases : tables) {
        for (const Case &testCase : cases) {
            QVERIFY2(!titles.contains(testCase.title()), testCase.title().constData());
            titles.insert(testCase.title());
        }
    }
    QVERIFY2(titles.size() >= 250, qPrintable(QString::number(titles.size())));
}

// However a case ended, its connection is not served any more: only the bystander's is.
void TestConformance::noConnectionIsLeftBehind()
{
    QTRY_COMPARE(m_relay->hub().clientCount(), 1);
}

RELAY_TEST(TestConformance)
#include "tst_conformance.moc"
