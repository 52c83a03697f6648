#pragma once

#include "gui/look/payload_text.h"
#include "gui/relay/channel_listener.h"
#include "gui/tables/message_log_model.h"

#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableView>
#include <QWidget>

namespace relay::gui {

/// One channel's messages: its history, then live. The selected message is shown in full, also after it has left the
/// list.
class MessagePane : public QWidget
{
    Q_OBJECT

public:
    explicit MessagePane(QWidget *parent = nullptr);

    /// An empty URL: none.
    void listen(const QUrl &channel);
    /// The relay is back: replaces a connection that may have broken unnoticed.
    void resume() { m_listener.resume(); }
    void clear();
    [[nodiscard]] QUrl url() const { return m_listener.url(); }
    [[nodiscard]] bool isListening() const { return m_listener.isListening(); }
    [[nodiscard]] MessageLogModel &messages() { return m_model; }

Q_SIGNALS:
    void listeningChanged(bool isListening);

private:
    QWidget *makeTools();
    void take(const ChannelMessage &message);
    /// Changes the rows. When the selected one is removed, no other is selected in its place.
    void keepChosen(const std::function<void()> &change);
    void showChosen();
    [[nodiscard]] PayloadFormat formatFor(const ChannelMessage &message) const;
    void showState();

    ChannelListener m_listener;
    MessageLogModel m_model;
    QTableView *m_view;
    QPlainTextEdit *m_text;
    QComboBox *m_format;
    QPushButton *m_pause;
    QLabel *m_state;
    QString m_problem;
    bool m_isChanging = false; ///< the rows change: the current one was not selected by the user
};

} // namespace relay::gui
