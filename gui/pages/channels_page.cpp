#include "gui/pages/channels_page.h"

#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/message_pane.h"
#include "gui/tables/table_pane.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <QVBoxLayout>

namespace relay::gui {

ChannelsPage::ChannelsPage(RelaySource &source, QWidget *parent)
    : QWidget(parent)
    , m_source(source)
    , m_table(new TablePane(m_model,
                            [this](const TableQuery &query) { fetch(query); },
                            tr("Filter by name"),
                            {24, 10, 13, 11, 9, 10}))
    , m_title(makeLabel({}, 1.25, true))
    , m_messages(new MessagePane)
    , m_text(new QLineEdit)
    , m_send(new QPushButton(icon(QStringLiteral("send")), tr("Pu&blish")))
    , m_clear(new QPushButton(icon(QStringLiteral("clear")), tr("For&get history …")))
    , m_outcome(makeQuietLabel({}))
{
    auto *split = new QSplitter;
    split->addWidget(m_table);
    split->addWidget(makeSide());
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 1);
    split->setChildrenCollapsible(false);
    auto *column = new QVBoxLayout(this);
    column->addWidget(split);

    connect(m_table, &TablePane::userSelected, this, &ChannelsPage::select);
    connect(m_text, &QLineEdit::returnPressed, this, &ChannelsPage::publish);
    connect(m_send, &QPushButton::clicked, this, &ChannelsPage::publish);
    connect(m_clear, &QPushButton::clicked, this, &ChannelsPage::askClear);
    // Where clients connect is known with the first overview, and may change when the relay returns.
    connect(&m_source, &RelaySource::overviewChanged, this, &ChannelsPage::listen);
    connect(&m_source, &RelaySource::linkChanged, this, [this](const LinkState &link) {
        if (link.link == LinkState::Link::Live) {
            m_messages->resume();
        }
    });
    select(-1);
}

ChannelsPage::~ChannelsPage()
{
    delete m_table; // it holds the model, which goes next
}

QWidget *ChannelsPage::makeSide()
{
    auto *side = new Card;
    m_text->setPlaceholderText(tr("A text to publish"));
    m_text->setObjectName(QStringLiteral("publish"));
    auto *top = new QHBoxLayout;
    top->addWidget(m_title, 1);
    top->addWidget(m_clear);
    auto *bottom = new QHBoxLayout;
    bottom->addWidget(m_text, 1);
    bottom->addWidget(m_send);
    auto *column = new QVBoxLayout(side);
    column->addLayout(top);
    column->addWidget(m_messages, 1);
    column->addLayout(bottom);
    column->addWidget(m_outcome);
    return side;
}

void ChannelsPage::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    listen();
}

void ChannelsPage::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    m_messages->listen({});
}

void ChannelsPage::fetch(const TableQuery &query)
{
    m_source.fetchChannels(query, this,
                           [this](const Result<Page<ChannelRow>> &page) { take(page); });
}

void ChannelsPage::take(const Result<Page<ChannelRow>> &page)
{
    if (page) {
        m_table->takeRows([&] {
            m_model.setPage(page.value());
            return m_selected.isEmpty() ? std::nullopt : m_model.rowOfName(m_selected);
        });
    }
    m_table->finished(page ? QString() : page.error().message);
}

void ChannelsPage::select(int row)
{
    m_selected = row < 0 ? QString() : m_model.nameAt(row);
    const bool isChosen = !m_selected.isEmpty();
    m_title->setText(isChosen ? visibleWord(m_selected)
                              : tr("Choose a channel to see its messages."));
    for (QWidget *widget : std::initializer_list<QWidget *>{m_messages, m_text, m_send, m_clear}) {
        widget->setEnabled(isChosen);
    }
    m_outcome->clear();
    listen();
}

void ChannelsPage::listen()
{
    const QUrl wanted =
        isVisible() && !m_selected.isEmpty() ? m_source.channelUrl(m_selected) : QUrl();
    if (wanted != m_messages->url()) {
        m_messages->listen(wanted);
    }
}

void ChannelsPage::publish()
{
    const QByteArray text = m_text->text().toUtf8();
    if (m_selected.isEmpty() || text.isEmpty()) {
        return;
    }
    m_source.publish(
        m_selected, text, true, this, [this](const Result<RelaySource::Receipt> &receipt) {
            if (!receipt) {
                m_outcome->setText(tr("Not published: %1").arg(receipt.error().message));
                return;
            }
            m_text->clear();
            m_outcome->setText(
                tr("Published as %1; clients that it went to: %2")
                    .arg(countText(receipt.value().offset), countText(receipt.value().clients)));
        });
}

void ChannelsPage::askClear()
{
    const Question question{tr("Forget history"),
                            tr("Forget the messages that %1 keeps?").arg(visibleWord(m_selected)),
                            tr("Who resumes is told that there is a gap."), tr("Forget")};
    ask(this, question, [this, channel = m_selected] {
        m_source.clearHistory(channel, this, [this](const Outcome &outcome) {
            m_outcome->setText(outcome ? tr("The history is forgotten.") : outcome.error().message);
            m_table->refresh();
        });
    });
}

} // namespace relay::gui
