-- Version 2: what stands beside the journal. Nothing here is counted: a row that is
-- lost costs no unit and frees none. Tables of version 1 stay as they are, so what
-- an earlier program has open goes on.

-- The pace of an account, see internal/pace.


-- Answers that machines share, see internal/share.


-- Notices, see internal/notice.

