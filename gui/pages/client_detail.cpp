#include "gui/pages/client_detail.h"

#include "gui/look/card.h"
#include "gui/look/foreign_text.h"
#include "gui/look/quantity_text.h"
#include "gui/tables/client_verdict.h"

#include <QVBoxLayout>

namespace relay::gui {

ClientDetail::ClientDetail(QWidget *parent)
    : QWidget(parent)
    , m_title(makeLabel({}, 1.25, true))
    , m_verdict(makeLabel({}, 1.1, true))
    , m_rule(makeQuietLabel({}))
    , m_facts(new QWidget)
{
    m_title->setWordWrap(true);
    m_rule->setWordWrap(true);
    auto *form = new QFormLayout(m_facts);
    form->setContentsMargins(0, 0, 0, 0);
    form->setRowWrapPolicy(QFormLayout::DontWrapRows);
    for (const QString &name :
         {tr("Address"), tr("Channel"), tr("Transport"), tr("User agent"), tr("Connected"),
          tr("In"), tr("Out"), tr("Queued"), tr("Ping"), tr("Round trip (TCP)"),
          tr("Retransmitted"), tr("Unacknowledged"), tr("Unsent (kernel)")})
    {
        addFact(*form, name);
    }
    Q_ASSERT(m_values.size() == FactCount);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_title);
    column->addWidget(m_verdict);
    column->addWidget(m_rule);
    column->addSpacing(fontMetrics().height() / 2);
    column->addWidget(m_facts);
    column->addStretch(1);
}

void ClientDetail::addFact(QFormLayout &form, const QString &name)
{
    QLabel *value = makeLabel({});
    value->setWordWrap(true);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    form.addRow(makeQuietLabel(name), value);
    m_values.append(value);
}

void ClientDetail::showNothing(const QString &text)
{
    m_title->hide();
    m_verdict->hide();
    m_rule->setText(text);
    m_facts->hide();
}

void ClientDetail::showClient(const ClientRow &client)
{
    const ClientVerdict verdict = verdictOn(client);
    m_title->setText(tr("Client %1").arg(client.id));
    m_verdict->setText(verdict.words);
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, colourOf(verdict.meaning, palette()));
    m_verdict->setPalette(colours);
    m_rule->setText(verdict.rule);
    const auto traffic = [](qint64 messages, qint64 bytes) {
        return tr("%1, %2").arg(countedText(messages, tr("message"), tr("messages")),
                                bytesText(static_cast<double>(bytes)));
    };
    m_values[Address]->setText(visibleWord(client.address));
    m_values[Channel]->setText(visibleWord(client.channel));
    m_values[Transport]->setText(visibleWord(client.transport));
    m_values[UserAgent]->setText(client.userAgent.isEmpty() ? tr("not sent")
                                                            : visibleWord(client.userAgent));
    m_values[Since]->setText(timeText(client.connectedAt));
    m_values[Received]->setText(traffic(client.messagesIn, client.bytesIn));
    m_values[Sent]->setText(traffic(client.messagesOut, client.bytesOut));
    m_values[Queue]->setText(traffic(client.queuedMessages, client.queuedBytes));
    m_values[Ping]->setText(latencyText(client.pingSeconds));
    const std::optional<SocketRow> &socket = client.socket;
    const QString none = QStringLiteral("–");
    m_values[Rtt]->setText(socket ? tr("%1 ± %2").arg(latencyText(socket->rttSeconds),
                                                      latencyText(socket->rttVarianceSeconds))
                                  : none);
    m_values[Retransmits]->setText(
        socket ? countedText(socket->retransmits, tr("segment"), tr("segments")) : none);
    m_values[Unacknowledged]->setText(
        socket ? bytesText(static_cast<double>(socket->unacknowledgedBytes)) : none);
    m_values[Unsent]->setText(socket ? bytesText(static_cast<double>(socket->unsentBytes)) : none);
    for (QWidget *widget : std::initializer_list<QWidget *>{m_title, m_verdict, m_facts}) {
        widget->show();
    }
}

QString ClientDetail::text() const
{
    return m_title->text() + QLatin1Char('\n') + m_verdict->text() + QLatin1Char('\n')
           + m_rule->text();
}

} // namespace relay::gui
