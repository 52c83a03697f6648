#pragma once

#include "conformance/case.h"
#include "support/raw_client.h"

#include <QByteArray>

namespace relay::test {

/// Walks cases against a relay that echoes, each on a connection of its own, beside a bystander who
/// stays connected through all of them: he must get every message of a case byte for byte, and
/// nothing else.
///
/// Thread: the test's; the relay must run on others.   Owner: the test.
/// Errors: run() says what differed.
class CaseRunner
{
public:
    explicit CaseRunner(quint16 port);

    /// Empty when everything was as the case says; else what was expected and what came.
    [[nodiscard]] QByteArray run(const Case &testCase);

private:
    QByteArray play(const Case &testCase);
    QByteArray finish(RawClient &client, const Case &testCase);
    QByteArray askBystander(const Case &testCase);

    quint16 m_port;
    RawClient m_bystander;
    bool m_isBystanderOpen;
    int m_caseNumber = 0;
};

} // namespace relay::test
