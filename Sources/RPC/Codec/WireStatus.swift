public import Wire

extension WireError: StatusConvertible {
    public var status: Status { Status(.invalidArgument, "\(self)") }
}
