#include "gui/pages/message_pane.h"

#include "gui/look/card.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/tables/row_view.h"

#include <QFontDatabase>
#include <QHBoxLayout>
#include <QScrollBar>
#include <QSplitter>
#include <QVBoxLayout>

namespace relay::gui {

MessagePane::MessagePane(QWidget *parent)
    : QWidget(parent)
    , m_view(makeRowView(m_model, {12, 10}))
    , m_text(new QPlainTextEdit)
    , m_format(new QComboBox)
    , m_pause(new QPushButton(icon(QStringLiteral("pause")), tr("&Pause")))
    , m_state(makeQuietLabel({}))
{
    m_text->setReadOnly(true);
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_text->setPlaceholderText(tr("Select a message to see it in full."));

    auto *split = new QSplitter(Qt::Vertical);
    split->addWidget(m_view);
    split->addWidget(m_text);
    split->setStretchFactor(0, 3);
    split->setStretchFactor(1, 1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(makeTools());
    column->addWidget(split, 1);

    connect(&m_listener, &ChannelListener::listeningChanged, this, &MessagePane::listeningChanged);
    connect(&m_listener, &ChannelListener::messageReceived, this, &MessagePane::take);
    connect(&m_listener, &ChannelListener::problemChanged, this, [this](const QString &problem) {
        m_problem = problem;
        showState();
    });
    connect(m_view->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &MessagePane::showChosen);
    connect(m_format, &QComboBox::currentIndexChanged, this, &MessagePane::showChosen);
}

QWidget *MessagePane::makeTools()
{
    m_format->addItem(tr("Automatic")); // no data
    m_format->setItemData(0, tr("Binary as hex, JSON formatted, other text as it is"),
                          Qt::ToolTipRole);
    m_format->addItem(tr("Text"), static_cast<int>(PayloadFormat::Text));
    m_format->addItem(tr("Formatted JSON"), static_cast<int>(PayloadFormat::Json));
    m_format->addItem(tr("Hex"), static_cast<int>(PayloadFormat::Hex));
    m_format->setToolTip(tr("How the selected message is shown"));
    m_pause->setCheckable(true);
    connect(m_pause, &QPushButton::toggled, this, [this](bool paused) {
        keepChosen([&] { m_model.setPaused(paused); });
        m_view->scrollToBottom();
        showState();
    });
    m_state->setWordWrap(true);
    auto *tools = new QWidget;
    auto *row = new QHBoxLayout(tools);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_state, 1);
    row->addWidget(m_format);
    row->addWidget(m_pause);
    return tools;
}

void MessagePane::listen(const QUrl &channel)
{
    clear();
    m_problem.clear();
    m_listener.listen(channel);
    showState();
}

void MessagePane::clear()
{
    m_model.clear();
    m_text->clear();
}

void MessagePane::take(const ChannelMessage &message)
{
    const QScrollBar *bar = m_view->verticalScrollBar();
    const bool isAtEnd = bar->value() == bar->maximum();
    keepChosen([&] { m_model.append(message); });
    if (isAtEnd && !m_model.isPaused()) {
        m_view->scrollToBottom();
    }
    showState();
}

void MessagePane::keepChosen(const std::function<void()> &change)
{
    const QPersistentModelIndex chosen = m_view->currentIndex();
    m_isChanging = true;
    change();
    if (m_view->currentIndex() != chosen) {
        m_view->selectionModel()
            ->clear(); // it has been removed: the one in its place was not selected
    }
    m_isChanging = false;
}

void MessagePane::showChosen()
{
    const QModelIndex chosen = m_view->currentIndex();
    if (chosen.isValid() && !m_isChanging) {
        const ChannelMessage &message = m_model.message(chosen.row());
        const QString text = payloadText(message.payload, formatFor(message));
        const bool isAsSent = text == QString::fromUtf8(message.payload);
        m_text->setFont(isAsSent ? font() : QFontDatabase::systemFont(QFontDatabase::FixedFont));
        m_text->setPlainText(text);
    }
}

PayloadFormat MessagePane::formatFor(const ChannelMessage &message) const
{
    const QVariant chosen = m_format->currentData();
    if (chosen.isValid()) {
        return static_cast<PayloadFormat>(chosen.toInt());
    }
    return message.kind == ChannelMessage::Kind::Binary ? PayloadFormat::Hex : PayloadFormat::Json;
}

void MessagePane::showState()
{
    if (m_listener.url().isEmpty()) {
        m_state->clear();
    } else if (!m_problem.isEmpty()) {
        m_state->setText(tr("Not listening: %1. Reconnecting …").arg(m_problem));
    } else if (m_model.isPaused()) {
        m_state->setText(tr("Paused. Waiting: %1").arg(countText(m_model.waiting())));
    } else if (m_model.rowCount() == 0) {
        m_state->setText(tr("Live. No messages yet."));
    } else {
        m_state->setText(
            tr("Live: %1").arg(countedText(m_model.rowCount(), tr("message"), tr("messages"))));
    }
}

} // namespace relay::gui
