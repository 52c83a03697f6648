#pragma once

#include "ops/model/channel_row.h"
#include "ops/model/page.h"

#include "gui/tables/paged_table_model.h"

namespace relay::gui {

/// The relay's channels.
class ChannelTableModel : public PagedTableModel
{
    Q_OBJECT

public:
    explicit ChannelTableModel(QObject *parent = nullptr);

    /// `ownChannel`: the channel that this window listens to, whose count of clients includes it; empty: none.
    void setPage(Page<ChannelRow> page, const QString &ownChannel = {});
    /// Empty for a row that is not held.
    [[nodiscard]] QString nameAt(int row) const;
    [[nodiscard]] std::optional<int> rowOfName(const QString &name) const;

protected:
    [[nodiscard]] QString text(int row, int column) const override;
    [[nodiscard]] qint64 idOf(int row) const override { return m_page.offset + row; }

private:
    Page<ChannelRow> m_page;
};

} // namespace relay::gui
