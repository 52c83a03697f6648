#pragma once

#include "gui/relay/channel_listener.h"

#include <QAbstractTableModel>

#include <deque>

namespace relay::gui {

/// The latest messages of one channel, oldest first.
///
/// While it is paused, new messages wait.
/// Thread: the window's.
/// Limits: kMaxMessages, kMaxBytes; when there are more, the oldest is removed. The same for those that wait.
class MessageLogModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    static constexpr std::size_t kMaxMessages = 500;
    static constexpr qint64 kMaxBytes = qint64{16} << 20;

    enum Column {
        Time,
        Offset,
        Payload,
        ColumnCount
    };

    using QAbstractTableModel::QAbstractTableModel;

    void append(const ChannelMessage &message);
    void clear();
    void setPaused(bool paused);
    [[nodiscard]] bool isPaused() const { return m_isPaused; }
    [[nodiscard]] int waiting() const { return static_cast<int>(m_waiting.messages.size()); }
    [[nodiscard]] const ChannelMessage &message(int row) const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QVariant
    headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Bounded
    {
        std::deque<ChannelMessage> messages;
        qint64 bytes = 0;

        void push(const ChannelMessage &message);
        void pop();
        /// Whether there is no room for one more of this size.
        [[nodiscard]] bool isFullFor(qint64 size) const;
    };

    Bounded m_shown;
    Bounded m_waiting;
    bool m_isPaused = false;
};

} // namespace relay::gui
