#pragma once

#include "support/client_frame.h"

#include <QByteArray>
#include <QList>
#include <QMetaType>

#include <initializer_list>

namespace relay::test {

/// One thing that a case does: the client sends bytes, or a frame must come back.
struct Step
{
    enum class Kind {
        Send,
        Expect,
    };
    Kind kind = Kind::Send;
    QByteArray bytes;         ///< to send, or the payload that must come
    qsizetype pieceBytes = 0; ///< how many go into one write; 0: all
    Op opcode = Op::Binary;   ///< of the frame that must come
};

/// A case of the conformance test, as data: what one client does, what must come back, and how the
/// connection ends. The frames that must come are all that may come, in this order.
///
/// A case that says nothing of its end is closed by the client with 1000, and must be answered so.
struct Case
{
    QByteArray section; ///< of RFC 6455
    QByteArray name;
    QList<Step> steps;
    /// The codes of which one must be in the relay's close frame; 0 stands for none.
    QList<quint16> closeCodes = {};
    /// Whether the client sends the close frame that closeCodes answers, after all steps.
    bool clientCloses = true;

    Case(QByteArray rfcSection, QByteArray caseName);

    Case &send(const QByteArray &bytes, qsizetype pieceBytes = 0);
    Case &expect(Op opcode, const QByteArray &payload);
    /// The relay must end the connection with this code, without a close frame of the client's.
    Case &fails(quint16 code) { return closed({code}); }
    /// The relay must answer the close frame that was sent with one of these codes.
    Case &closed(std::initializer_list<quint16> codes);

    /// The same, with all that is sent in writes of that many bytes.
    [[nodiscard]] Case inWritesOf(qsizetype pieceBytes) const;
    [[nodiscard]] QByteArray title() const { return section + ' ' + name; }
};

/// Adds a case as it is, and in writes of one byte.
void addWholeAndByteByByte(QList<Case> &cases, const Case &testCase);

// --- What clients send ---------------------------------------------------------------------------

QByteArray text(const QByteArray &payload);
QByteArray binary(const QByteArray &payload);
QByteArray ping(const QByteArray &payload = {});
QByteArray pong(const QByteArray &payload = {});
QByteArray closeFrame(quint16 code, const QByteArray &reason = {});
/// A frame without FIN: the first of a fragmented message.
QByteArray begin(Op opcode, const QByteArray &payload);
/// A continuation that is not the last.
QByteArray more(const QByteArray &payload);
/// The last continuation.
QByteArray last(const QByteArray &payload);
/// A message in fragments of that many bytes.
QByteArray inFragments(Op opcode, const QByteArray &payload, qsizetype fragmentBytes);

// --- The tables, one for each topic --------------------------------------------------------------

QList<Case> framingCases();
QList<Case> controlCases();
QList<Case> violationCases();
QList<Case> fragmentationCases();
QList<Case> validTextCases();
QList<Case> invalidTextCases();
QList<Case> closingCases();
QList<Case> limitCases();

/// What the relay of the test is told as limits.message_size.
inline constexpr qsizetype kMaxMessageBytes = 1 << 20;

} // namespace relay::test

Q_DECLARE_METATYPE(relay::test::Case)
