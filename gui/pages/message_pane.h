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

/// One channel's messages: what it keeps, and what comes, as it comes. The chosen one is shown in
/// full, also when it is not among the latest any more.
class MessagePane : public QWidget
{
    Q_OBJECT

public:
    explicit MessagePane(QWidget *parent = nullptr);

    /// An empty URL: none.
    void listen(const QUrl &channel);
    /// The relay is back: a connection that broke unnoticed is made again.
    void resume() { m_listener.resume(); }
    void clear();
    [[nodiscard]] QUrl url() const { return m_listener.url(); }
    [[nodiscard]] MessageLogModel &messages() { return m_model; }

private:
    QWidget *makeTools();
    void take(const ChannelMessage &message);
    /// Changes the rows, and lets none be chosen in the place of one that goes.
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
    bool m_isChanging = false; ///< the rows: what is current now was not chosen by the user
};

} // namespace relay::gui
